// A page on which users sign up, confirm their account, sign in by SRP, and sign out.

import { Amplify } from 'aws-amplify';
import { confirmSignUp, fetchUserAttributes, getCurrentUser, signIn, signOut, signUp } from 'aws-amplify/auth';

const element = (id) => document.getElementById(id);
const show = (id, visible) => {
  element(id).hidden = !visible;
};

/** The user who confirms the account with a code. */
let unconfirmed;

/** The texts for errors. Those of sign-up rejections come from the sign-up policy. */
function messageOf(error) {
  switch (error.name) {
    case 'CodeMismatchException':
      return 'The code is wrong.';
    case 'ExpiredCodeException':
      return 'The code has expired.';
    case 'InvalidPasswordException':
      return 'The password does not meet the rules.';
    case 'NotAuthorizedException':
    case 'UserNotFoundException':
      return 'The user name or password is wrong.';
    case 'UserLambdaValidationException':
      return error.message.replace(/^PreSignUp failed with error /, '');
    case 'UsernameExistsException':
      return 'The user name is taken.';
    default:
      console.error(error);
      return 'Something went wrong. Try again later.';
  }
}

/** Runs an action of the user, and shows its outcome: a status text, or an error. */
async function run(button, action) {
  element('status').textContent = '';
  element('error').textContent = '';
  button.disabled = true;
  try {
    element('status').textContent = await action();
  } catch (error) {
    element('error').textContent = messageOf(error);
  } finally {
    button.disabled = false;
  }
}

function onSubmit(id, action) {
  element(id).addEventListener('submit', async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = Object.fromEntries(new FormData(form));
    await run(form.querySelector('button'), () => action(fields, form));
  });
}

function askForCode(username) {
  unconfirmed = username;
  show('confirm', true);
  return 'Enter the code that was sent to your e-mail address.';
}

/** The authenticated user, or undefined without a valid session. */
async function readUser() {
  try {
    const { username } = await getCurrentUser();
    // Fails if the session was ended elsewhere.
    const { email = '' } = await fetchUserAttributes();
    return { username, email };
  } catch (error) {
    if (['NotAuthorizedException', 'UserNotFoundException'].includes(error.name)) await signOut();
    else if (error.name !== 'UserUnAuthenticatedException') throw error;
    return undefined;
  }
}

/** Shows the user, or the forms without a session. */
async function showUser() {
  const user = await readUser();
  show('signed-out', !user);
  show('signed-in', user);
  if (!user) return;
  element('username').textContent = user.username;
  element('email').textContent = user.email;
}

onSubmit('sign-up', async ({ username, email, password }, form) => {
  const { nextStep } = await signUp({ username, password, options: { userAttributes: { email } } });
  form.reset();
  return nextStep.signUpStep === 'DONE' ? 'Your account is confirmed. Sign in.' : askForCode(username);
});

onSubmit('confirm', async ({ code }, form) => {
  await confirmSignUp({ username: unconfirmed, confirmationCode: code });
  form.reset();
  show('confirm', false);
  return 'Your account is confirmed. Sign in.';
});

onSubmit('sign-in', async ({ username, password }, form) => {
  const { nextStep } = await signIn({ username, password, options: { authFlowType: 'USER_SRP_AUTH' } });
  if (nextStep.signInStep === 'CONFIRM_SIGN_UP') return askForCode(username);
  if (nextStep.signInStep !== 'DONE') return `This page does not support the step ${nextStep.signInStep}.`;
  form.reset();
  await showUser();
  return 'You are signed in.';
});

element('sign-out').addEventListener('click', (event) =>
  run(event.currentTarget, async () => {
    await signOut();
    await showUser();
    return 'You are signed out.';
  }),
);

const response = await fetch('config.json');
Amplify.configure({ Auth: { Cognito: await response.json() } });
await showUser().catch((error) => {
  element('error').textContent = messageOf(error);
});
