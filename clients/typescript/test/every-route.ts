// Calls every operation of a deployed API and checks the typed results. The API runs on the emulator, whose codes are
// fixed and which lacks some operations.
//
// Environment: POOLKEEPER_URL, and the credentials of an administrator in POOLKEEPER_ADMIN and POOLKEEPER_PASSWORD.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';

import { ChallengeRequired, Client, type ErrorCode, GatewayError, ProblemError, SignIn } from 'poolkeeper-client';

const PASSWORD = 'Correct-Horse-1';
const NEW_PASSWORD = 'Correct-Horse-2';
const SIGN_UP_CODE = '123456';
const RESET_CODE = '654321';
const GROUP = 'ts-staff';

const url = variable('POOLKEEPER_URL');
const admin = variable('POOLKEEPER_ADMIN');
const pool = as(admin, variable('POOLKEEPER_PASSWORD'));

function variable(name: string): string {
  return process.env[name] ?? assert.fail(`${name} is not set`);
}

/** The API with the tokens of a user. */
function as(username: string, password = PASSWORD): Client {
  return new Client(url, new SignIn(username, password));
}

/** Creates a user with a permanent password. */
async function create(username: string): Promise<{ username: string }> {
  const user = await pool.createUser({ body: { username, password: PASSWORD, permanent: true } });
  assert.deepEqual([user.username, user.status], [username, 'CONFIRMED']);
  return { username };
}

async function refused(call: Promise<unknown>, status: number, code: ErrorCode): Promise<ProblemError> {
  const error = await call.then(
    () => assert.fail(`success instead of ${code}`),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ProblemError, String(error));
  assert.deepEqual([error.status, error.code], [status, code], error.message);
  return error;
}

/** An operation that the emulator lacks. */
const lacking = (call: Promise<unknown>) => refused(call, 501, 'not-supported-by-endpoint');

async function poolAndCaller(): Promise<void> {
  const { id, password_policy } = await pool.getPool();
  assert.ok(id.length > 0 && password_policy.minimum_length >= 8);
  const caller = await pool.getCaller();
  assert.ok('username' in caller && caller.username === admin);
  const invitation = await pool.createInvitation({ body: { email: 'ts-ida@example.com' } });
  assert.equal(invitation.email, 'ts-ida@example.com');
}

/** The deployment has no jobs. */
async function jobs(): Promise<void> {
  const path = { id: 'import-50d858e0985ecc7f60418aaf0cc5ab58' };
  const requests = [
    () => pool.createJobUpload({ body: { type: 'import' } }),
    () => pool.startJob({ body: { type: 'import', upload: path.id, format: 'json-lines' } }),
    () => pool.items('listJobs').next(),
    () => pool.getJob({ path }),
    () => pool.items('listJobResults', { path }).next(),
    () => pool.stopJob({ path }),
  ];
  for (const request of requests) {
    await refused(request(), 404, 'not-found');
  }
}

async function errors(): Promise<void> {
  const user = await create('ts-taken');
  const body = { username: 'ts-taken', password: PASSWORD, permanent: true };
  const taken = await refused(pool.createUser({ body }), 409, 'user-exists');
  assert.deepEqual(taken.differing, ['creation']);
  await refused(pool.createUser({ body: { ...body, username: 'ts-weak', password: 'weak' } }), 422, 'invalid-password');
  const invalid = await refused(pool.listUsers({ query: { limit: 0 } }), 400, 'invalid-request');
  assert.equal(invalid.field, 'limit');
  await refused(pool.getUser({ path: { username: 'ts-unknown' } }), 404, 'user-not-found');
  await refused(as('ts-taken', 'Wrong-Horse-1').listUsers(), 401, 'invalid-credentials');
  await refused(as('ts-taken').listUsers(), 403, 'forbidden');
  await assert.rejects(
    new Client(url).listUsers(),
    (error) => error instanceof GatewayError && error.status === 401,
  );
  await pool.deleteUser({ path: user });
}

async function users(): Promise<void> {
  const path = await create('ts-mia');
  const key = { 'Idempotency-Key': 'ts-key' };
  const body = { username: 'ts-key', password: PASSWORD, permanent: true };
  const first = await pool.createUser({ body, headers: key });
  assert.equal((await pool.createUser({ body, headers: key })).sub, first.sub);

  const names: string[] = [];
  for await (const user of pool.items('listUsers', { query: { limit: 1 } })) {
    names.push(user.username);
  }
  assert.ok(['ts-mia', 'ts-key', admin].every((name) => names.includes(name)), names.join());

  await pool.updateUser({ path, body: { attributes: { name: 'Mia', email: 'ts-mia@example.com' } } });
  const user = await pool.getUser({ path, query: { include: 'groups' } });
  assert.deepEqual([user.attributes?.name, user.groups], ['Mia', []]);
  await lacking(pool.updateUser({ path, body: { attributes: { nickname: null } } }));

  assert.equal((await pool.disableUser({ path })).changed, true);
  await refused(as('ts-mia').getMyself(), 401, 'invalid-credentials');
  assert.equal((await pool.enableUser({ path })).changed, true);
  // The emulator confirms confirmed users again.
  assert.equal((await pool.confirmUser({ path })).changed, true);
  const signedOut = await pool.signOutUser({ path });
  assert.ok(signedOut.revoked.some((credential) => credential.token === 'id_token'));

  await pool.setUserPassword({ path, body: { password: NEW_PASSWORD, permanent: true } });
  assert.equal((await as('ts-mia', NEW_PASSWORD).getMyself()).username, 'ts-mia');
  const mfa = await pool.setUserMfa({ path, body: { enabled: ['SOFTWARE_TOKEN_MFA'] } });
  assert.deepEqual(await pool.getUserMfa({ path }), mfa);

  const identity = { ...path, provider: 'Google' };
  const linked = await pool.linkUserIdentity({ path: identity, body: { user_id: '113489712349817234987' } });
  assert.equal(linked.provider, 'Google');
  await pool.unlinkUserIdentity({ path: identity });
  await lacking(pool.items('listUserDevices', { path }).next());
  await lacking(pool.forgetUserDevice({ path: { ...path, key: 'us-east-1_11111111-1111-4111-8111-111111111111' } }));
  await refused(pool.items('listUserAuthEvents', { path }).next(), 409, 'wrong-state');
  await pool.resetUserPassword({ path });
  await pool.deleteUser({ path });
  await pool.deleteUser({ path: { username: 'ts-key' } });
}

async function groups(): Promise<void> {
  const path = { group: GROUP };
  const group = await pool.createGroup({ body: { name: GROUP, description: 'Staff', precedence: 7 } });
  assert.deepEqual([group.name, group.precedence], [GROUP, 7]);
  await refused(pool.createGroup({ body: { name: GROUP } }), 409, 'group-exists');
  assert.deepEqual(await pool.getGroup({ path }), group);
  await lacking(pool.updateGroup({ path, body: { description: 'All staff' } }));
  const names: string[] = [];
  for await (const { name } of pool.items('listGroups', { query: { limit: 1 } })) {
    names.push(name);
  }
  assert.ok(names.includes(GROUP), names.join());

  const member = { ...(await create('ts-ann')), group: GROUP };
  await pool.addUserToGroup({ path: member });
  assert.deepEqual(await pool.listUserGroups({ path: member }), { groups: [GROUP] });
  const members = pool.items('listGroupUsers', { path });
  assert.equal((await members.next()).value?.username, 'ts-ann');
  await pool.removeUserFromGroup({ path: member });
  await pool.deleteUser({ path: member });
  await pool.deleteGroup({ path });
  await refused(pool.getGroup({ path }), 404, 'group-not-found');
}

/** An invited user answers the challenge of the temporary password. */
async function challenge(): Promise<void> {
  const path = { username: 'ts-new' };
  const attributes = { email: 'ts-new@example.com' };
  const user = await pool.createUser({ body: { ...path, attributes, password: PASSWORD } });
  assert.equal(user.status, 'FORCE_CHANGE_PASSWORD');
  assert.equal((await pool.resendUserInvitation({ path })).username, 'ts-new');
  await pool.setUserPassword({ path, body: { password: PASSWORD, permanent: false } });
  const required = await as('ts-new').getMyself().catch((error: unknown) => error);
  assert.ok(required instanceof ChallengeRequired, String(required));
  const { name, username, session } = required.challenge;
  assert.ok(name === 'NEW_PASSWORD_REQUIRED' && session !== null);
  const outcome = await pool.answerChallenge({
    body: { challenge: name, username, session, new_password: NEW_PASSWORD },
  });
  assert.ok('tokens' in outcome);
  const { access_token, refresh_token = assert.fail('no refresh token') } = outcome.tokens;
  assert.equal((await new Client(url, access_token).getMyself()).username, 'ts-new');
  const { tokens } = await pool.refresh({ body: { username, refresh_token } });
  const signedOut = await pool.signOut({ body: { refresh_token, access_token: tokens.access_token } });
  assert.ok(signedOut.revoked.some((credential) => credential.token === 'refresh_token'));
  await refused(pool.refresh({ body: { username, refresh_token } }), 401, 'invalid-credentials');
  await pool.deleteUser({ path });
}

/** A user signs up, changes the own account and deletes it. */
async function ownAccount(): Promise<void> {
  const username = 'ts-ray';
  const body = { username, password: PASSWORD, attributes: { email: 'ts-ray@example.com' } };
  assert.equal((await pool.signUp({ body })).confirmed, true);
  await refused(pool.signUp({ body }), 409, 'user-exists');
  await refused(pool.confirmSignUp({ body: { username, code: SIGN_UP_CODE } }), 409, 'wrong-state');
  await pool.resendCode({ body: { username } });

  await pool.forgotPassword({ body: { username } });
  const reset = { username, new_password: NEW_PASSWORD };
  await refused(pool.resetPassword({ body: { ...reset, code: '000000' } }), 422, 'code-mismatch');
  await pool.resetPassword({ body: { ...reset, code: RESET_CODE } });

  const user = as(username, NEW_PASSWORD);
  assert.equal((await user.getMyself()).username, username);
  await lacking(user.sendAttributeCode({ path: { name: 'email' } }));
  await lacking(user.verifyAttribute({ path: { name: 'email' }, body: { code: SIGN_UP_CODE } }));
  const change = { current_password: 'Wrong-Horse-1', new_password: PASSWORD };
  await refused(user.changeOwnPassword({ body: change }), 401, 'invalid-credentials');
  await user.changeOwnPassword({ body: { ...change, current_password: NEW_PASSWORD } });

  const signedIn = as(username);
  const { secret } = await signedIn.startTotp();
  await signedIn.verifyTotp({ body: { code: totp(secret) } });
  const outcome = await pool.signIn({ body: { username, password: PASSWORD } });
  assert.ok('challenge' in outcome && outcome.challenge.name === 'SOFTWARE_TOKEN_MFA');
  const { name, session } = outcome.challenge;
  assert.ok(session !== null);
  const answered = await pool.answerChallenge({
    body: { challenge: name, username, session, code: totp(secret) },
  });
  assert.ok('tokens' in answered);
  const withFactor = new Client(url, answered.tokens.access_token);
  await withFactor.removeTotp();
  await withFactor.deleteMyself();
  await refused(pool.getUser({ path: { username } }), 404, 'user-not-found');
}

/** The current code of an authenticator app (RFC 6238). */
function totp(secret: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((digit) => alphabet.indexOf(digit).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []);
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** Ends all sessions. Sign-ins in the second of the revocation are denied. */
async function revocation(): Promise<void> {
  await pool.revokeAll({ body: {} });
  for (let attempts = 1; ; attempts += 1) {
    const error = await pool.getPool().catch((error: unknown) => error);
    if (!(error instanceof Error)) {
      return;
    }
    assert.ok(error instanceof ProblemError && error.code === 'unauthenticated' && attempts < 20, String(error));
    await setTimeout(200);
  }
}

for (const part of [poolAndCaller, jobs, errors, users, groups, challenge, ownAccount, revocation]) {
  await part();
  console.log(`${part.name}: ok`);
}
