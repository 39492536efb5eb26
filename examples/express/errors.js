// Maps errors to responses for users. The log contains the other details.

import { GatewayError, ProblemError } from 'poolkeeper-client';

/** An error response. */
export class Refusal extends Error {
  constructor(status, code, message, options) {
    super(message, options);
    this.status = status;
    this.code = code;
  }
}

/** The errors of the API that a user can correct. The codes are stable, and the texts are those of this service. */
const USER_ERRORS = {
  'alias-exists': [409, 'Another account has this address'],
  'code-expired': [422, 'The code has expired'],
  'code-mismatch': [422, 'The code is wrong'],
  'invalid-credentials': [401, 'The user name or password is wrong, or the session has ended'],
  'invalid-password': [422, 'The password does not meet the rules'],
  'invalid-request': [400, 'The request is not valid'],
  'password-reset-required': [403, 'Set a new password first'],
  'user-exists': [409, 'The user name is taken'],
  'user-not-confirmed': [403, 'Confirm the account with the code first'],
};

const ADMIN_ERRORS = ['alias-exists', 'invalid-request', 'throttled', 'user-exists'];

/** Runs a request with the administrator's token. Errors of the administrator's own account do not reach users. */
export async function adminErrors(request) {
  try {
    return await request();
  } catch (error) {
    if (error instanceof ProblemError && ADMIN_ERRORS.includes(error.code)) throw error;
    throw new Error('the request of the administrator failed', { cause: error });
  }
}

function refusalOf(error) {
  if (error instanceof Refusal) return error;
  if (error instanceof ProblemError && error.code === 'sign-up-refused') {
    // The fixed sentence of the sign-up policy is meant for users.
    return new Refusal(422, error.code, error.detail);
  }
  if (error instanceof ProblemError && Object.hasOwn(USER_ERRORS, error.code)) {
    const [status, message] = USER_ERRORS[error.code];
    return new Refusal(status, error.code, message);
  }
  if ((error instanceof ProblemError || error instanceof GatewayError) && error.status === 429) {
    return Object.assign(new Refusal(429, 'throttled', 'Too many requests'), { retryAfter: error.retryAfter });
  }
  // Express rejects bodies that are not JSON or too large. The error contains the body.
  if (error.expose) return new Refusal(error.status, 'invalid-request', 'The request is not valid');
  return new Refusal(500, 'internal', 'Try again later', { cause: error });
}

/** Middleware that answers with the error. */
export function answerWithError(error, _request, response, _next) {
  const { status, code, message, cause, retryAfter } = refusalOf(error);
  if (cause) console.error(cause);
  if (status === 401) response.set('www-authenticate', 'Bearer');
  if (retryAfter) response.set('retry-after', String(retryAfter));
  response.status(status).json({ code, message });
}
