// A back end that signs its users up and in, protects a route, and creates accounts for staff.

import express from 'express';
import { Client, SignIn } from 'poolkeeper-client';
import { authenticate, requireGroup } from './authenticate.js';
import { adminErrors, answerWithError } from './errors.js';
import { ADMIN_PASSWORD, ADMIN_USERNAME, API, PORT } from './settings.js';

// The routes under /v1/auth need no token of an administrator.
const auth = new Client(API);
const admin = new Client(API, new SignIn(ADMIN_USERNAME, ADMIN_PASSWORD));

/** The headers of the user's device that Cognito's threat protection evaluates. */
const deviceHeaders = (request) => ({ 'X-Device-Data': request.get('x-device-data') });

const app = express();
app.disable('x-powered-by');
app.use(express.json());
// Responses contain tokens.
app.use((_request, response, next) => {
  response.set('cache-control', 'no-store');
  next();
});

app.post('/sign-up', async (request, response) => {
  const { username, password, email } = request.body ?? {};
  const body = { username, password, attributes: { email } };
  const { confirmed } = await auth.signUp({ body, headers: deviceHeaders(request) });
  response.status(201).json({ confirmed });
});

app.post('/confirm', async (request, response) => {
  const { username, code } = request.body ?? {};
  await auth.confirmSignUp({ body: { username, code }, headers: deviceHeaders(request) });
  response.status(204).end();
});

// The response contains either `tokens` or a `challenge`.
app.post('/sign-in', async (request, response) => {
  const { username, password } = request.body ?? {};
  response.json(await auth.signIn({ body: { username, password }, headers: deviceHeaders(request) }));
});

// Answers the challenge of users who sign in with a temporary password.
app.post('/new-password', async (request, response) => {
  const { username, session, new_password } = request.body ?? {};
  const body = { challenge: 'NEW_PASSWORD_REQUIRED', username, session, new_password };
  response.json(await auth.answerChallenge({ body, headers: deviceHeaders(request) }));
});

app.post('/refresh', async (request, response) => {
  const { username, refresh_token } = request.body ?? {};
  response.json(await auth.refresh({ body: { username, refresh_token }, headers: deviceHeaders(request) }));
});

// Ends the session of the refresh token, or without a refresh token all sessions of the user.
app.post('/sign-out', authenticate, async (request, response) => {
  const { refresh_token } = request.body ?? {};
  const { token: access_token } = request.user;
  await auth.signOut({ body: refresh_token === undefined ? { access_token } : { refresh_token, access_token } });
  response.status(204).end();
});

app.get('/profile', authenticate, (request, response) => {
  const { sub, username, groups } = request.user;
  response.json({ sub, username, groups });
});

// Cognito mails a temporary password to the new member of staff.
app.post('/staff', authenticate, requireGroup('admins'), async (request, response) => {
  const { username, email } = request.body ?? {};
  const user = await adminErrors(() => admin.createUser({ body: { username, attributes: { email } } }));
  response.status(201).json({ username: user.username, status: user.status });
});

app.use(answerWithError);

const server = app.listen(Number(PORT), '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`Listening on http://127.0.0.1:${server.address().port}`);
});
