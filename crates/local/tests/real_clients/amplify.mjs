// A front end with Amplify v6: sign-up, SRP sign-in, AWS credentials, refresh, change of password and sign-out.

import assert from 'node:assert/strict';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { Amplify } from 'aws-amplify';
import {
  fetchAuthSession,
  fetchUserAttributes,
  getCurrentUser,
  signIn,
  signOut,
  signUp,
  updatePassword,
} from 'aws-amplify/auth';
import { defaultStorage, Hub } from 'aws-amplify/utils';

const { AWS_ENDPOINT_URL, CALLER_ARN, DENIED_DOMAIN, IDENTITY_POOL_ID, USER_POOL_ID, WEB_CLIENT_ID } = process.env;
const username = 'amplify';
const password = 'Correct-Horse-1';
const newPassword = 'Correct-Horse-2';

Amplify.configure({
  Auth: {
    Cognito: {
      userPoolId: USER_POOL_ID,
      userPoolClientId: WEB_CLIENT_ID,
      userPoolEndpoint: AWS_ENDPOINT_URL,
      identityPoolId: IDENTITY_POOL_ID,
      identityPoolEndpoint: AWS_ENDPOINT_URL,
    },
  },
});

const refreshFailures = [];
Hub.listen('auth', ({ payload }) => {
  if (payload.event === 'tokenRefresh_failure') refreshFailures.push(payload.data.error.name);
});

const register = (password, email) =>
  signUp({ username, password, options: { userAttributes: { email }, validationData: { plan: 'trial' } } });

// The tokens that Amplify stores. A copy of them is the session on another device.
const tokenKeys = ['LastAuthUser', ...['accessToken', 'idToken', 'refreshToken'].map((name) => `${username}.${name}`)];
const storageKey = (key) => `CognitoIdentityServiceProvider.${WEB_CLIENT_ID}.${key}`;
const storedSession = () => Promise.all(tokenKeys.map((key) => defaultStorage.getItem(storageKey(key))));
const restoreSession = (values) =>
  Promise.all(tokenKeys.map((key, index) => defaultStorage.setItem(storageKey(key), values[index])));

// After a refused refresh, Amplify sends an event and returns a session without tokens.
const assertRefreshRefused = async (session) => {
  assert.ok(session.every((value) => typeof value === 'string'));
  await restoreSession(session);
  assert.equal((await getCurrentUser()).username, username);
  refreshFailures.length = 0;
  const { credentials, tokens } = await fetchAuthSession({ forceRefresh: true });
  assert.deepEqual(refreshFailures, ['NotAuthorizedException']);
  assert.deepEqual({ credentials, tokens }, { credentials: undefined, tokens: undefined });
  await assert.rejects(getCurrentUser(), { name: 'UserUnAuthenticatedException' });
};

// Sign-up through the trigger. The second address proves that the refused sign-up created no user.
await assert.rejects(register(password, `${username}@${DENIED_DOMAIN}`), {
  name: 'UserLambdaValidationException',
  message: /E-mail addresses of this domain cannot be used to sign up/,
});
await assert.rejects(register('weak', `${username}@example.com`), { name: 'InvalidPasswordException' });
const signedUp = await register(password, `${username}@example.com`);
assert.equal(signedUp.isSignUpComplete, true);
assert.equal(signedUp.nextStep.signUpStep, 'DONE');
await assert.rejects(register(password, `${username}@example.com`), { name: 'UsernameExistsException' });

// SRP sign-in, the default of `signIn`.
await assert.rejects(getCurrentUser(), { name: 'UserUnAuthenticatedException' });
await assert.rejects(signIn({ username, password: 'Wrong-Horse-1!' }), { name: 'NotAuthorizedException' });
const signedIn = await signIn({ username, password });
assert.deepEqual(signedIn, { isSignedIn: true, nextStep: { signInStep: 'DONE' } });
const user = await getCurrentUser();
assert.deepEqual(
  { userId: user.userId, username: user.username, authFlowType: user.signInDetails.authFlowType },
  { userId: signedUp.userId, username, authFlowType: 'USER_SRP_AUTH' },
);
assert.equal((await fetchUserAttributes()).email, `${username}@example.com`);

// AWS credentials.
const { credentials, tokens } = await fetchAuthSession();
const caller = await new STSClient({ credentials }).send(new GetCallerIdentityCommand());
assert.equal(caller.Arn, CALLER_ARN);

// Refresh.
const refreshed = await fetchAuthSession({ forceRefresh: true });
assert.notEqual(refreshed.tokens.accessToken.toString(), tokens.accessToken.toString());
assert.equal(refreshed.userSub, signedUp.userId);
assert.notEqual(refreshed.credentials.accessKeyId, credentials.accessKeyId);

// Change of password.
const changePassword = (oldPassword, newPassword) => updatePassword({ oldPassword, newPassword });
await assert.rejects(changePassword('Wrong-Horse-1!', newPassword), { name: 'NotAuthorizedException' });
await assert.rejects(changePassword(password, 'weak'), { name: 'InvalidPasswordException' });
await changePassword(password, newPassword);

// Sign-out on this device revokes its refresh token.
const firstDevice = await storedSession();
await signOut();
await assert.rejects(getCurrentUser(), { name: 'UserUnAuthenticatedException' });
await assertRefreshRefused(firstDevice);
await assert.rejects(signIn({ username, password }), { name: 'NotAuthorizedException' });

// Global sign-out ends the sessions on all devices. `signOut` ignores errors, so only the refresh shows its effect.
await signIn({ username, password: newPassword });
const secondDevice = await storedSession();
await defaultStorage.clear();
await signIn({ username, password: newPassword });
const thirdDevice = await storedSession();
assert.notDeepEqual(thirdDevice, secondDevice);
await signOut({ global: true });
await assertRefreshRefused(secondDevice);
await assertRefreshRefused(thirdDevice);
assert.equal((await signIn({ username, password: newPassword })).isSignedIn, true);
