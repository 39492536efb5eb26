// Runs a handler on the Lambda Runtime API, with one request at a time on one connection.
// Lambda's own runtime loads a native module and more code, so a function in Lambda starts later than with this loop.

import { Agent, request } from 'node:http'

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':')
const agent = new Agent({ keepAlive: true, noDelay: true, maxSockets: 1 })

function send(method, path, body) {
  return new Promise((resolve, reject) => {
    const options = { agent, hostname, port, method, path: `/2018-06-01/runtime/invocation/${path}` }
    const outgoing = request(options, (incoming) => {
      const chunks = []
      incoming.on('data', (chunk) => chunks.push(chunk))
      incoming.on('end', () => resolve({ headers: incoming.headers, text: Buffer.concat(chunks).toString() }))
      incoming.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

export async function run(handler) {
  for (;;) {
    const { headers, text } = await send('GET', 'next')
    const id = headers['lambda-runtime-aws-request-id']
    const deadline = Number(headers['lambda-runtime-deadline-ms'])
    const context = { awsRequestId: id, getRemainingTimeInMillis: () => deadline - Date.now() }
    let answer
    try {
      answer = { path: 'response', body: await handler(JSON.parse(text), context) }
    } catch ({ name, message }) {
      answer = { path: 'error', body: { errorType: name, errorMessage: message } }
    }
    await send('POST', `${id}/${answer.path}`, JSON.stringify(answer.body))
  }
}
