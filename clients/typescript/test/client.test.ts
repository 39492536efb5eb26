// Tests of tokens, retries, errors and pages without network.

import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import { inspect } from 'node:util';

import {
  ChallengeRequired,
  Client,
  type ClientOptions,
  type ErrorCode,
  GatewayError,
  ProblemError,
  SignIn,
} from 'poolkeeper-client';

const URL = 'https://api.example.com';
const PASSWORD = 'Correct-Horse-9';

interface Sent {
  route: string;
  headers: Headers;
  body: unknown;
}

/** A response, or an error in its place. */
type Reply = Error | { status: number; body?: unknown; retryAfter?: string };

/** A server that replies with a list, or with the result of a function. */
class Server {
  readonly sent: Sent[] = [];
  readonly delays: number[] = [];
  readonly options: ClientOptions;

  constructor(replies: Reply[] | ((sent: Sent) => Reply), options: ClientOptions = {}) {
    this.options = {
      fetch: async (url, init) => {
        assert.ok(url.startsWith(URL));
        const body = typeof init.body === 'string' ? JSON.parse(init.body) : undefined;
        const sent = { route: `${init.method} ${url.slice(URL.length)}`, headers: new Headers(init.headers), body };
        this.sent.push(sent);
        const reply = typeof replies === 'function' ? replies(sent) : replies[this.sent.length - 1];
        assert.ok(reply, `no reply to request ${this.sent.length}`);
        if (reply instanceof Error) {
          throw reply;
        }
        const text = typeof reply.body === 'string' ? reply.body : (JSON.stringify(reply.body) ?? null);
        const response = new Response(text, { status: reply.status });
        if (reply.retryAfter !== undefined) {
          response.headers.set('Retry-After', reply.retryAfter);
        }
        return response;
      },
      delay: async (seconds) => void this.delays.push(seconds),
      ...options,
    };
  }

  pool(token: ConstructorParameters<typeof Client>[1] = 'token'): Client {
    return new Client(`${URL}/`, token, this.options);
  }

  get routes(): string[] {
    return this.sent.map((sent) => sent.route);
  }

  get tokens(): (string | null)[] {
    return this.sent.map((sent) => sent.headers.get('Authorization'));
  }
}

function problem(status: number, code: string, more: object = {}, retryAfter?: string): Reply {
  const type = `urn:poolkeeper:problem:${code}`;
  const body = { type, title: 'Title.', status, code, detail: 'Detail.', request_id: 'r1' };
  return { status, body: { ...body, ...more }, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

const gateway = (status: number): Reply => ({ status, body: { message: 'Gateway message' } });
const noResponse = new TypeError('fetch failed');
const groups: Reply = { status: 200, body: { groups: [], next_cursor: null } };
const user: Reply = { status: 201, body: { username: 'mia' } };
const newUser = { body: { username: 'mia', password: PASSWORD } };

function tokens(access: string, refresh?: string, seconds = 900): Reply {
  const validity = { expires_in_seconds: seconds, token_type: 'Bearer' };
  const body = { access_token: access, id_token: 'id', refresh_token: refresh, username: 'admin', ...validity };
  return { status: 200, body: { tokens: body } };
}

/** Replaces the clock until the end of the test. */
function mockClock(context: TestContext): { tick(milliseconds: number): void } {
  let now = 0;
  context.mock.method(Date, 'now', () => now);
  return { tick: (milliseconds) => void (now += milliseconds) };
}

async function thrown(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => assert.fail('no error'),
    (error: unknown) => error,
  );
}

test('returns the body and fills path, query and headers', async () => {
  const server = new Server([{ status: 200, body: { users: [] } }, { status: 204 }, user]);
  const pool = server.pool();
  const page = await pool.listUsers({ query: { email: 'a+b@c.d', custom_attribute: ['team=a b', 'x=1'] } });
  assert.deepEqual(page, { users: [] });
  assert.equal(await pool.deleteUser({ path: { username: 'a/b?c' } }), undefined);
  assert.deepEqual(await pool.createUser(newUser), { username: 'mia' });
  assert.deepEqual(server.routes, [
    'GET /v1/users?email=a%2Bb%40c.d&custom_attribute=team%3Da%20b&custom_attribute=x%3D1',
    'DELETE /v1/users/a%2Fb%3Fc',
    'POST /v1/users',
  ]);
  assert.deepEqual(server.sent[2]?.body, newUser.body);
  assert.equal(server.sent[2]?.headers.get('Content-Type'), 'application/json');
  assert.deepEqual(server.tokens, ['Bearer token', 'Bearer token', 'Bearer token']);
});

test('rejects path parameters that change the path', async () => {
  const server = new Server([]);
  for (const group of ['', '.', '..']) {
    const error = await thrown(server.pool().removeUserFromGroup({ path: { username: 'mia', group } }));
    assert.ok(error instanceof TypeError);
  }
  assert.equal(server.sent.length, 0);
});

test('sends no token with public operations or without a source', async () => {
  const server = new Server([{ status: 204 }, gateway(401)]);
  await server.pool().confirmSignUp({ body: { username: 'mia', code: '123456' } });
  assert.ok((await thrown(new Client(URL, undefined, server.options).listGroups())) instanceof GatewayError);
  assert.deepEqual(server.tokens, [null, null]);
});

test('throws typed problems', async () => {
  const steps = { completed: ['create'], failed: 'groups', next_actions: ['a'] };
  const more = { field: 'username', differing: ['email'], ...steps };
  const error = await thrown(new Server([problem(409, 'user-exists', more)]).pool().createUser(newUser));
  assert.ok(error instanceof ProblemError);
  const code: ErrorCode = error.code;
  assert.equal(code, 'user-exists');
  // @ts-expect-error The type contains no other codes.
  assert.ok(error.code !== 'user-exist');
  assert.equal(error.message, '409 user-exists: Detail.');
  assert.deepEqual([error.status, error.detail, error.field, error.failed], [409, 'Detail.', 'username', 'groups']);
  assert.deepEqual([error.completed, error.nextActions, error.differing], [['create'], ['a'], ['email']]);
  assert.deepEqual([error.requestId, error.problem.title], ['r1', 'Title.']);
});

test('keeps codes of later versions', async () => {
  const error = await thrown(new Server([problem(418, 'later-code')]).pool().getPool());
  assert.ok(error instanceof ProblemError);
  assert.equal(error.code, 'later-code');
});

test('distinguishes responses that are not of the API', async () => {
  const page = '<html>secret-token</html>';
  for (const [reply, status, message] of [
    [gateway(403), 403, 'Gateway message'],
    [{ status: 403, body: page }, 403, 'The response has an unexpected form'],
    [{ status: 404, body: 'null' }, 404, 'The response has an unexpected form'],
    [{ status: 200, body: '{"tokens": {"access_token": "secret-token' }, 200, 'The response has an unexpected form'],
  ] as [Reply, number, string][]) {
    const error = await thrown(new Server([reply]).pool().getPool());
    assert.ok(error instanceof GatewayError);
    assert.deepEqual([error.status, error.message], [status, message]);
    assert.doesNotMatch(inspect(error), /secret-token/);
  }
});

test('retries every method after 429 and 503 and obeys Retry-After', async () => {
  for (const refused of [problem(429, 'throttled', {}, '7'), problem(503, 'revocations-unavailable', {}, '7')]) {
    for (const call of [
      (pool: Client) => pool.deleteUser({ path: { username: 'mia' } }),
      (pool: Client) => pool.signUp({ body: { username: 'mia', password: PASSWORD } }),
    ]) {
      const server = new Server([refused, refused, { status: 204 }]);
      await call(server.pool());
      assert.deepEqual(server.delays, [7, 7]);
    }
  }
});

test('throws an error whose Retry-After exceeds the maximum delay', async () => {
  const server = new Server([problem(429, 'throttled', {}, '31')]);
  const error = await thrown(server.pool().getPool());
  assert.ok(error instanceof ProblemError);
  assert.equal(error.retryAfter, 31);
  const patient = new Server([problem(429, 'throttled', {}, '900'), groups], { maxDelay: 900 });
  await patient.pool().listGroups();
  assert.deepEqual([server.delays, patient.delays], [[], [900]]);
});

test('backs off exponentially with full jitter without Retry-After', async (context) => {
  const random = context.mock.method(Math, 'random', () => 1);
  const server = new Server([gateway(429), gateway(503), gateway(429), gateway(503), groups], { maxDelay: 3 });
  await server.pool().listGroups();
  assert.deepEqual(server.delays, [0.5, 1, 2, 3]);
  random.mock.mockImplementation(() => 0);
  const invalid = new Server([{ ...gateway(429), retryAfter: 'soon' } as Reply, groups]);
  await invalid.pool().listGroups();
  assert.deepEqual(invalid.delays, [0]);
});

test('stops after the maximum number of retries', async () => {
  for (const [options, requests] of [[{}, 5], [{ maxRetries: 0 }, 1]] as [ClientOptions, number][]) {
    const server = new Server(() => problem(429, 'throttled', {}, '1'), options);
    assert.ok((await thrown(server.pool().listGroups())) instanceof ProblemError);
    assert.equal(server.sent.length, requests);
  }
});

test('does not retry after a problem that has completed', async () => {
  for (const completed of [['create'], []]) {
    const server = new Server([problem(503, 'revocations-unavailable', { completed }, '1')]);
    assert.ok((await thrown(server.pool().createUser(newUser))) instanceof ProblemError);
    assert.deepEqual(server.delays, []);
  }
});

const ambiguous: Reply[] = [
  noResponse,
  problem(502, 'upstream-unavailable'),
  problem(504, 'deadline-exceeded'),
  gateway(500),
  gateway(503),
];

test('retries ambiguous results of GET and of requests with an Idempotency-Key', async () => {
  for (const reply of ambiguous) {
    const read: Server = new Server([reply, groups]);
    await read.pool().listGroups();
    const created: Server = new Server([reply, user]);
    await created.pool().createUser(newUser);
    const keys = created.sent.map((sent) => sent.headers.get('Idempotency-Key'));
    assert.match(keys[0] ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(keys[0], keys[1]);
    assert.deepEqual([read.sent.length, created.sent.length], [2, 2]);
  }
});

test('does not retry ambiguous results of other requests', async () => {
  for (const reply of ambiguous) {
    for (const call of [
      (pool: Client) => pool.deleteUser({ path: { username: 'mia' } }),
      (pool: Client) => pool.deleteMyself({ headers: { 'Idempotency-Key': 'ignored' } }),
      (pool: Client) => pool.createGroup({ body: { name: 'support' } }),
      (pool: Client) => pool.addUserToGroup({ path: { username: 'mia', group: 'support' } }),
    ]) {
      const server = new Server([reply]);
      await thrown(call(server.pool()));
      assert.deepEqual(server.delays, []);
    }
  }
});

test('does not retry other errors', async () => {
  const codes: [number, ErrorCode][] = [
    [500, 'internal'],
    [501, 'not-supported-by-endpoint'],
    [400, 'invalid-request'],
  ];
  for (const [status, code] of codes) {
    const reply = problem(status, code);
    assert.ok((await thrown(new Server([reply]).pool().listGroups())) instanceof ProblemError);
  }
});

test('keeps the Idempotency-Key of the caller', async () => {
  const server = new Server([user]);
  await server.pool().createUser({ ...newUser, headers: { 'Idempotency-Key': 'mine' } });
  assert.equal(server.sent[0]?.headers.get('Idempotency-Key'), 'mine');
});

test('stops if the signal is aborted', async () => {
  const stop = new AbortController();
  const server = new Server(() => {
    stop.abort();
    return gateway(503);
  });
  const error = await thrown(server.pool().listGroups({ signal: stop.signal }));
  assert.equal(error, stop.signal.reason);
  assert.equal(server.sent.length, 1);
});

test('limits the time of a request', async () => {
  const options: ClientOptions = {
    timeout: 0.001,
    maxRetries: 0,
    fetch: (_, { signal }) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
  };
  const keepAlive = setInterval(() => {}, 1000);
  const error = await thrown(new Client(URL, 'token', options).listGroups());
  clearInterval(keepAlive);
  assert.equal((error as Error).name, 'TimeoutError');
});

test('stops a delay if the signal is aborted', async () => {
  const stop = new AbortController();
  const server = new Server([problem(429, 'throttled', {}, '20')]);
  const { delay: _, ...options } = server.options;
  const call = new Client(URL, 'token', options).listGroups({ signal: stop.signal });
  setImmediate(() => stop.abort());
  assert.equal(await thrown(call), stop.signal.reason);
});

test('repeats a request once with a fresh token after 401', async () => {
  const source = mock.fn(() => `t${source.mock.callCount()}`);
  const server = new Server([gateway(401), groups, gateway(401), problem(401, 'unauthenticated')]);
  const pool = server.pool(source);
  await pool.listGroups();
  const error = await thrown(pool.listGroups());
  assert.ok(error instanceof ProblemError);
  assert.deepEqual(server.tokens, ['Bearer t0', 'Bearer t1', 'Bearer t2', 'Bearer t3']);
  assert.deepEqual(server.delays, []);
});

test('does not repeat a request if the source has no other token', async () => {
  const server = new Server([gateway(401)]);
  assert.ok((await thrown(server.pool().listGroups())) instanceof GatewayError);
});

test('does not send a wrong current password twice', async () => {
  const server = new Server([tokens('a1'), problem(401, 'invalid-credentials')]);
  const change = { current_password: 'Wrong-Horse-1', new_password: PASSWORD };
  const error = await thrown(server.pool(new SignIn('admin', PASSWORD)).changeOwnPassword({ body: change }));
  assert.ok(error instanceof ProblemError);
  assert.equal(server.sent.length, 2);
});

test('rejects a token that is not a header value without quoting it', async () => {
  for (const token of ['secret\n', '', 'secrét']) {
    const error = await thrown(new Server([]).pool(token).listGroups());
    assert.ok(error instanceof TypeError);
    assert.doesNotMatch(inspect(error), /secr[eé]t/);
  }
});

test('signs in on the first request and caches the token', async () => {
  const server = new Server([tokens('a1', 'r1'), groups, groups]);
  const pool = server.pool(new SignIn('admin', PASSWORD));
  assert.equal(server.sent.length, 0);
  await pool.listGroups();
  await pool.listGroups();
  assert.deepEqual(server.routes, ['POST /v1/auth/sign-in', 'GET /v1/groups', 'GET /v1/groups']);
  assert.deepEqual(server.sent[0]?.body, { username: 'admin', password: PASSWORD });
  assert.deepEqual(server.tokens, [null, 'Bearer a1', 'Bearer a1']);
});

test('refreshes before the expiry and follows rotated refresh tokens', async (context) => {
  const clock = mockClock(context);
  const server = new Server([
    ...[tokens('a1', 'r1'), groups, groups],
    ...[tokens('a2', 'r2'), groups],
    ...[tokens('a3'), groups],
    ...[tokens('a4'), groups],
  ]);
  const pool = server.pool(new SignIn('admin@example.com', PASSWORD));
  await pool.listGroups();
  clock.tick(839_999);
  await pool.listGroups();
  clock.tick(1);
  await pool.listGroups();
  for (let refreshes = 0; refreshes < 2; refreshes += 1) {
    clock.tick(840_000);
    await pool.listGroups();
  }
  const refreshed = server.sent.filter((sent) => sent.route === 'POST /v1/auth/refresh').map((sent) => sent.body);
  const refresh = (token: string) => ({ username: 'admin', refresh_token: token });
  assert.deepEqual(refreshed, [refresh('r1'), refresh('r2'), refresh('r2')]);
  assert.equal(server.tokens.at(-1), 'Bearer a4');
});

test('signs in again if the refresh is rejected', async (context) => {
  const clock = mockClock(context);
  const refused = problem(401, 'invalid-credentials');
  const server = new Server([tokens('a1', 'r1'), groups, refused, tokens('a2', 'r2'), groups]);
  const pool = server.pool(new SignIn('admin', PASSWORD));
  await pool.listGroups();
  clock.tick(900_000);
  await pool.listGroups();
  assert.deepEqual(server.routes.slice(2, 4), ['POST /v1/auth/refresh', 'POST /v1/auth/sign-in']);
});

test('throws if the refresh fails for another reason', async (context) => {
  const clock = mockClock(context);
  const throttled = problem(429, 'throttled', {}, '900');
  for (const reply of [problem(502, 'upstream-unavailable'), throttled, gateway(403)]) {
    const server: Server = new Server([tokens('a1', 'r1'), groups, reply]);
    const pool = server.pool(new SignIn('admin', PASSWORD));
    await pool.listGroups();
    clock.tick(900_000);
    const error = await thrown(pool.listGroups());
    assert.ok(error instanceof ProblemError || error instanceof GatewayError);
    assert.equal(server.sent.length, 3);
  }
});

test('refreshes tokens with a short validity after half of it', async (context) => {
  const clock = mockClock(context);
  const server = new Server([tokens('a1', 'r1', 40), groups, groups, tokens('a2', 'r1', 40), groups]);
  const pool = server.pool(new SignIn('admin', PASSWORD));
  await pool.listGroups();
  clock.tick(19_999);
  await pool.listGroups();
  clock.tick(1);
  await pool.listGroups();
  assert.equal(server.routes[3], 'POST /v1/auth/refresh');
});

test('signs in instead of refreshing after the API rejects a token', async () => {
  let valid = 'a1';
  let signIns = 0;
  const server = new Server((sent) => {
    if (sent.route === 'POST /v1/auth/sign-in') {
      signIns += 1;
      return tokens(`a${signIns}`, 'r');
    }
    return sent.headers.get('Authorization') === `Bearer ${valid}` ? groups : problem(401, 'unauthenticated');
  });
  const pool = server.pool(new SignIn('admin', PASSWORD));
  await pool.listGroups();
  valid = 'a2';
  await Promise.all([pool.listGroups(), pool.listGroups(), pool.listGroups()]);
  assert.equal(signIns, 2);
  valid = 'none';
  assert.ok((await thrown(pool.listGroups())) instanceof ProblemError);
  assert.equal(signIns, 3);
  assert.ok(!server.routes.includes('POST /v1/auth/refresh'));
});

test('shares one sign-in and one refresh between concurrent requests', async (context) => {
  const clock = mockClock(context);
  const server = new Server((sent) => (sent.route.startsWith('POST') ? tokens('a', 'r') : groups));
  const pool = server.pool(new SignIn('admin', PASSWORD));
  const three = () => Promise.all([pool.listGroups(), pool.listGroups(), pool.listGroups()]);
  await three();
  clock.tick(900_000);
  await three();
  const posts = server.routes.filter((route) => route.startsWith('POST'));
  assert.deepEqual(posts, ['POST /v1/auth/sign-in', 'POST /v1/auth/refresh']);
});

test('signs in again after a failed sign-in', async () => {
  const server = new Server([problem(401, 'invalid-credentials'), tokens('a1'), groups]);
  const pool = server.pool(new SignIn('admin', PASSWORD));
  const error = await thrown(pool.listGroups());
  assert.ok(error instanceof ProblemError && error.code === 'invalid-credentials');
  await pool.listGroups();
});

test('shares a failed sign-in between concurrent requests', async () => {
  const server = new Server([problem(401, 'invalid-credentials')]);
  const pool = server.pool(new SignIn('admin', PASSWORD));
  const errors = await Promise.all(Array.from({ length: 10 }, () => thrown(pool.listGroups())));
  assert.ok(errors.every((error) => error instanceof ProblemError));
  assert.deepEqual(server.routes, ['POST /v1/auth/sign-in']);
});

test('sends no tokens to another URL', async () => {
  const source = new SignIn('admin', PASSWORD);
  const server = new Server([tokens('a1'), groups, groups]);
  await server.pool(source).listGroups();
  const error = await thrown(new Client(`${URL}/other`, source, server.options).listGroups());
  assert.ok(error instanceof TypeError);
  assert.match(error.message, /this SignIn belongs to another URL/i);
  await new Client(URL, source, server.options).listGroups();
  assert.equal(server.sent.length, 3);
});

test('throws the challenge of a sign-in', async () => {
  const challenge = { name: 'SOFTWARE_TOKEN_MFA', session: 'secret-session', username: 'admin' };
  const server = new Server([{ status: 200, body: { challenge } }]);
  const error = await thrown(server.pool(new SignIn('admin', PASSWORD)).listGroups());
  assert.ok(error instanceof ChallengeRequired);
  assert.equal(error.challenge.session, 'secret-session');
  assert.match(error.message, /SOFTWARE_TOKEN_MFA/);
  assert.doesNotMatch(inspect(error), /secret-session/);
});

test('shows no secrets of clients, sources and errors', async () => {
  const source = new SignIn('admin', PASSWORD);
  const server = new Server([tokens('secret-access', 'secret-refresh'), problem(422, 'invalid-password')]);
  const pool = server.pool(source);
  const error = await thrown(pool.createUser(newUser));
  const shown = [pool, source, error, server.pool('secret-token')].flatMap((value) => [
    inspect(value, { depth: null, showHidden: true }),
    JSON.stringify(value),
    String(value),
  ]);
  assert.doesNotMatch(shown.join('\n'), /secret|Correct-Horse/);
});

test('iterates over all pages, including an empty one', async () => {
  const page = (names: string[], cursor: string | null): Reply => ({
    status: 200,
    body: { ended_early: false, users: names.map((username) => ({ username })), next_cursor: cursor },
  });
  const server = new Server([page(['a', 'b'], 'c1'), page([], 'c2'), page(['c'], null)]);
  const names: string[] = [];
  for await (const found of server.pool().items('listUsers', { query: { enabled: true } })) {
    names.push(found.username);
  }
  assert.deepEqual(names, ['a', 'b', 'c']);
  const route = 'GET /v1/users?enabled=true';
  assert.deepEqual(server.routes, [route, `${route}&cursor=c1`, `${route}&cursor=c2`]);
});

test('ends the iteration after a page without a cursor', async () => {
  const server = new Server([{ status: 200, body: { users: [{ username: 'a' }] } }]);
  const names: string[] = [];
  for await (const found of server.pool().items('listUsers', { query: { cursor: 'c0' } })) {
    names.push(found.username);
  }
  assert.deepEqual(names, ['a']);
  assert.deepEqual(server.routes, ['GET /v1/users?cursor=c0']);
});

test('iterates over each list', async () => {
  const path = { username: 'mia', group: 'support' };
  const server = new Server((sent) => {
    const name = sent.route.split(/[/-]/).at(-1) ?? '';
    return { status: 200, body: { next_cursor: null, [name]: [{ id: sent.route }] } };
  });
  const pool = server.pool();
  const lists = [
    pool.items('listUsers'),
    pool.items('listGroups'),
    pool.items('listGroupUsers', { path }),
    pool.items('listUserAuthEvents', { path }),
    pool.items('listUserDevices', { path }),
  ];
  for (const list of lists) {
    const first = await list.next();
    assert.ok(first.value);
    assert.ok((await list.next()).done);
  }
  assert.equal(server.sent.length, lists.length);
  // @ts-expect-error The operation returns no pages.
  pool.items('listUserGroups', { path });
});
