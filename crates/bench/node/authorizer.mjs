// Peer of authorizer: verifies a token with AWS's library, and reads the same items of the table. The keys are those of the environment.

import { BatchGetItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import { run } from './runtime.mjs'

const { CLIENT_IDS, JWKS, REVOCATION_TABLE, USER_POOL_ID } = process.env
const client = new DynamoDBClient()
const verifier = CognitoJwtVerifier.create({ userPoolId: USER_POOL_ID, clientId: CLIENT_IDS.split(','), tokenUse: 'access' })
verifier.cacheJwks(JSON.parse(JWKS))

function isRevoked(item, { auth_time, iat }) {
  return Number(item.signed_in_until?.N ?? -1) >= auth_time || Number(item.issued_until?.N ?? -1) >= iat
}

async function isAuthorized(token) {
  const claims = verifier.verifySync(token)
  const scopes = ['pool#0', `client#${claims.client_id}#0`, `user#${claims.sub}`, `session#${claims.origin_jti}`]
  const Keys = scopes.map((scope) => ({ scope: { S: scope } }))
  const input = { RequestItems: { [REVOCATION_TABLE]: { Keys, ConsistentRead: true } } }
  const { Responses, UnprocessedKeys } = await client.send(new BatchGetItemCommand(input))
  const isComplete = Object.keys(UnprocessedKeys).length === 0
  return isComplete && !Responses[REVOCATION_TABLE].some((item) => isRevoked(item, claims))
}

run(async (event) => ({ isAuthorized: await isAuthorized(event.headers.authorization.slice('Bearer '.length)) }))
