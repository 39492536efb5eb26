// Peer of pre-sign-up: confirms every user, without a policy.

import { run } from './runtime.mjs'

run(async (event) => {
  event.response.autoConfirmUser = true
  return event
})
