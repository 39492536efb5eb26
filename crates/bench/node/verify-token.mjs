// Peer of verify-token: verifies the token of each event 100 times with AWS's library. The keys are those of the
// environment.

import { CognitoJwtVerifier } from 'aws-jwt-verify'
import { run } from './runtime.mjs'

const { CLIENT_IDS, JWKS, USER_POOL_ID } = process.env
const verifier = CognitoJwtVerifier.create({ userPoolId: USER_POOL_ID, clientId: CLIENT_IDS.split(','), tokenUse: 'access' })
verifier.cacheJwks(JSON.parse(JWKS))

run(async (event) => {
  const token = event.headers.authorization.slice('Bearer '.length)
  for (let time = 0; time < 100; time++) {
    verifier.verifySync(token)
  }
  return { isAuthorized: true }
})
