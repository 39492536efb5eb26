// Peer of admin-api: an equivalent of Amplify's AdminQueries function, for REST API events with a Cognito authorizer.

import {
  AdminDisableUserCommand,
  AdminGetUserCommand,
  CognitoIdentityProviderClient,
  ListUsersCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import serverlessExpress from 'aws-serverless-express'
import { eventContext } from 'aws-serverless-express/middleware'
import express from 'express'
import { run } from './runtime.mjs'

const client = new CognitoIdentityProviderClient()
const UserPoolId = process.env.USER_POOL_ID
const allowedGroup = process.env.GROUP ?? 'admins'

const app = express()
app.use(express.json())
app.use(eventContext())

app.use((request, response, next) => {
  response.header('Access-Control-Allow-Origin', '*')
  response.header('Access-Control-Allow-Headers', 'Origin, X-Requested-With, Content-Type, Accept')
  next()
})

app.use((request, response, next) => {
  const groups = request.apiGateway.event.requestContext.authorizer.claims['cognito:groups']?.split(',')
  if (groups?.includes(allowedGroup)) return next()
  response.status(403).json({ message: 'the caller is not an administrator' })
})

// Express 4 does not catch the errors of async functions.
const route = (handle) => (request, response, next) =>
  handle(request).then((body) => response.status(200).json(body)).catch(next)

app.get('/getUser', route(async ({ query }) => {
  return client.send(new AdminGetUserCommand({ UserPoolId, Username: query.username }))
}))

app.get('/listUsers', route(async ({ query: { limit = 25, token } }) => {
  const input = { UserPoolId, Limit: Number(limit), PaginationToken: token }
  const { PaginationToken, ...page } = await client.send(new ListUsersCommand(input))
  return { ...page, NextToken: PaginationToken }
}))

app.post('/disableUser', route(async ({ body }) => {
  await client.send(new AdminDisableUserCommand({ UserPoolId, Username: body.username }))
  return { message: `Disabled ${body.username}` }
}))

app.use((error, request, response, next) => {
  response.status(error.$metadata?.httpStatusCode ?? 500).json({ message: error.message })
})

const server = serverlessExpress.createServer(app)
run((event, context) => serverlessExpress.proxy(server, event, context, 'PROMISE').promise)
