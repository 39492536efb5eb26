// A front end with amazon-cognito-identity-js: sign-up, SRP sign-in, refresh, AWS credentials, change of password and
// global sign-out.

import assert from 'node:assert/strict';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromCognitoIdentityPool } from '@aws-sdk/credential-providers';
import { AuthenticationDetails, CognitoUser, CognitoUserAttribute, CognitoUserPool } from 'amazon-cognito-identity-js';

const { AWS_ENDPOINT_URL, AWS_REGION, USER_POOL_ID, WEB_CLIENT_ID, IDENTITY_POOL_ID } = process.env;
const { CALLER_ARN, DENIED_DOMAIN } = process.env;
const username = 'identity-js';
const password = 'Correct-Horse-1';
const newPassword = 'Correct-Horse-2';
const pool = new CognitoUserPool({ UserPoolId: USER_POOL_ID, ClientId: WEB_CLIENT_ID, endpoint: AWS_ENDPOINT_URL });

const promise = (start) =>
  new Promise((resolve, reject) => start((error, result) => (error ? reject(error) : resolve(result))));

const signUp = (password, email) => {
  const attributes = [new CognitoUserAttribute({ Name: 'email', Value: email })];
  const validationData = [new CognitoUserAttribute({ Name: 'plan', Value: 'trial' })];
  return promise((done) => pool.signUp(username, password, attributes, validationData, done));
};

const signIn = async (password) => {
  const user = new CognitoUser({ Username: username, Pool: pool });
  const details = new AuthenticationDetails({ Username: username, Password: password });
  await new Promise((onSuccess, onFailure) => user.authenticateUser(details, { onSuccess, onFailure }));
  return user;
};

const refresh = (user, refreshToken) => promise((done) => user.refreshSession(refreshToken, done));

const credentials = (token) =>
  fromCognitoIdentityPool({
    identityPoolId: IDENTITY_POOL_ID,
    logins: { [`cognito-idp.${AWS_REGION}.amazonaws.com/${USER_POOL_ID}`]: token },
  })();

const globalSignOut = (user) => new Promise((onSuccess, onFailure) => user.globalSignOut({ onSuccess, onFailure }));

// Sign-up through the trigger. The second address proves that the refused sign-up created no user.
await assert.rejects(signUp(password, `${username}@${DENIED_DOMAIN}`), {
  name: 'UserLambdaValidationException',
  message: /E-mail addresses of this domain cannot be used to sign up/,
});
await assert.rejects(signUp('weak', `${username}@example.com`), { name: 'InvalidPasswordException' });
const signedUp = await signUp(password, `${username}@example.com`);
assert.equal(signedUp.userConfirmed, true);
assert.equal(signedUp.user.getUsername(), username);
await assert.rejects(signUp(password, `${username}@example.com`), { name: 'UsernameExistsException' });

// SRP sign-in.
await assert.rejects(signIn('Wrong-Horse-1!'), { name: 'NotAuthorizedException' });
const user = await signIn(password);
const session = user.getSignInUserSession();
assert.equal(session.isValid(), true);
assert.equal(session.getIdToken().payload.sub, signedUp.userSub);
assert.equal(session.getAccessToken().payload.username, username);
const attributes = await promise((done) => user.getUserAttributes(done));
assert.equal(attributes.find(({ Name }) => Name === 'email').Value, `${username}@example.com`);

// The stored session.
const current = pool.getCurrentUser();
assert.equal(current.getUsername(), username);
const restored = await promise((done) => current.getSession(done));
assert.equal(restored.getAccessToken().getJwtToken(), session.getAccessToken().getJwtToken());

// Refresh.
const refreshToken = session.getRefreshToken();
const refreshed = await refresh(user, refreshToken);
assert.notEqual(refreshed.getAccessToken().getJwtToken(), session.getAccessToken().getJwtToken());
assert.equal(refreshed.getAccessToken().payload.sub, signedUp.userSub);

// AWS credentials. The identity pool accepts only ID tokens.
const idToken = refreshed.getIdToken().getJwtToken();
const sts = new STSClient({ credentials: await credentials(idToken) });
const { Arn } = await sts.send(new GetCallerIdentityCommand());
assert.equal(Arn, CALLER_ARN);
await assert.rejects(credentials(refreshed.getAccessToken().getJwtToken()), { name: 'NotAuthorizedException' });

// Change of password.
const changePassword = (from, to) => promise((done) => user.changePassword(from, to, done));
await assert.rejects(changePassword('Wrong-Horse-1!', newPassword), { name: 'NotAuthorizedException' });
await assert.rejects(changePassword(password, 'weak'), { name: 'InvalidPasswordException' });
assert.equal(await changePassword(password, newPassword), 'SUCCESS');
await assert.rejects(signIn(password), { name: 'NotAuthorizedException' });

// Global sign-out ends the sessions on all devices.
const otherDevice = await signIn(newPassword);
const otherRefreshToken = otherDevice.getSignInUserSession().getRefreshToken();
await refresh(otherDevice, otherRefreshToken);
await globalSignOut(user);
assert.equal(pool.getCurrentUser()?.getUsername(), undefined);
await assert.rejects(refresh(user, refreshToken), { name: 'NotAuthorizedException' });
await assert.rejects(refresh(otherDevice, otherRefreshToken), { name: 'NotAuthorizedException' });
await assert.rejects(globalSignOut(otherDevice), { name: 'NotAuthorizedException' });
await signIn(newPassword);
