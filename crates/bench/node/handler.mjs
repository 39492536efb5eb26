// Peer of admin-api: a plain handler of HTTP API events, with one SDK call per route and no authorization of its own.

import {
  AdminCreateUserCommand,
  AdminDisableUserCommand,
  AdminGetUserCommand,
  CognitoIdentityProviderClient,
  ListUsersCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { run } from './runtime.mjs'

const client = new CognitoIdentityProviderClient()
const UserPoolId = process.env.USER_POOL_ID

const routes = [
  ['GET', /^\/v1\/users$/, list],
  ['POST', /^\/v1\/users$/, create],
  ['GET', /^\/v1\/users\/([^/]+)$/, get],
  ['POST', /^\/v1\/users\/([^/]+)\/disable$/, disable],
]

async function list({ queryStringParameters: { limit, cursor } = {} }) {
  const input = { UserPoolId, Limit: limit && Number(limit), PaginationToken: cursor }
  const { Users, PaginationToken } = await client.send(new ListUsersCommand(input))
  return [200, { users: Users.map((user) => view(user, user.Attributes)), next_cursor: PaginationToken ?? null }]
}

async function create({ body }) {
  const { username, attributes = {} } = JSON.parse(body)
  const UserAttributes = Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }))
  const { User } = await client.send(new AdminCreateUserCommand({ UserPoolId, Username: username, UserAttributes }))
  return [201, view(User, User.Attributes)]
}

async function get(event, Username) {
  const user = await client.send(new AdminGetUserCommand({ UserPoolId, Username }))
  return [200, view(user, user.UserAttributes)]
}

async function disable(event, Username) {
  await client.send(new AdminDisableUserCommand({ UserPoolId, Username }))
  return [200, { username: Username, changed: true }]
}

function view(user, attributes) {
  return {
    username: user.Username,
    status: user.UserStatus,
    enabled: user.Enabled,
    attributes: Object.fromEntries(attributes.map(({ Name, Value }) => [Name, Value])),
    created_at: user.UserCreateDate,
    modified_at: user.UserLastModifiedDate,
  }
}

async function answer(event) {
  for (const [method, pattern, handle] of routes) {
    const found = method === event.requestContext.http.method && pattern.exec(event.rawPath)
    if (found) return handle(event, found[1])
  }
  return [404, { message: 'unknown route' }]
}

run(async (event) => {
  const [statusCode, body] = await answer(event)
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
})
