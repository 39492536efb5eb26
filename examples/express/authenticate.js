// Authenticates requests by their access token: first its signature and claims, then whether its session has ended.

import { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import { CognitoJwtVerifier } from 'aws-jwt-verify';
import { FetchError } from 'aws-jwt-verify/error';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import { AwsV4Signer } from 'aws4fetch';
import { Refusal } from './errors.js';
import { API, AWS_REGION, BACKEND_CLIENT_ID, JWKS_URL, SESSION_GATE, USER_POOL_ID, WEB_CLIENT_ID } from './settings.js';

const TIMEOUT = 10_000;

// By default, the verifier requests the keys from the user pool.
const fetchKeys = async () => {
  const response = await fetch(JWKS_URL, { signal: AbortSignal.timeout(TIMEOUT) });
  if (!response.ok) throw new FetchError(JWKS_URL, `status ${response.status}`);
  return response.arrayBuffer();
};
const jwksCache = JWKS_URL ? new SimpleJwksCache({ fetcher: { fetch: fetchKeys } }) : undefined;

// Caches the keys.
const verifier = CognitoJwtVerifier.create(
  { userPoolId: USER_POOL_ID, clientId: [WEB_CLIENT_ID, BACKEND_CLIENT_ID], tokenUse: 'access' },
  { jwksCache },
);

const credentials = fromNodeProviderChain();

/** Middleware that sets `request.user`, or rejects the request. */
export async function authenticate(request, _response, next) {
  const token = /^Bearer (\S+)$/i.exec(request.get('authorization') ?? '')?.[1];
  if (token === undefined) throw new Refusal(401, 'unauthenticated', 'Sign in first');
  const { sub, username, 'cognito:groups': groups = [] } = await verify(token);
  if (SESSION_GATE === 'true' && !(await isActive(token))) {
    throw new Refusal(401, 'unauthenticated', 'The session has ended');
  }
  request.user = { token, sub, username, groups };
  next();
}

/** Middleware after `authenticate` that rejects users who are not in the group. */
export const requireGroup = (group) => (request, _response, next) => {
  if (!request.user.groups.includes(group)) throw new Refusal(403, 'forbidden', 'Access is denied');
  next();
};

async function verify(token) {
  try {
    return await verifier.verify(token);
  } catch (cause) {
    if (isUnreachable(cause)) throw unavailable(cause);
    throw new Refusal(401, 'unauthenticated', 'The access token is not valid');
  }
}

// `fetch` throws a TypeError without a response, and a DOMException after the timeout.
const isUnreachable = (error) => [FetchError, TypeError, DOMException].some((type) => error instanceof type);

const unavailable = (cause) => new Refusal(503, 'unavailable', 'Try again later', { cause });

/** Asks the session gate whether the token's session has ended. Only the service's AWS principal can ask. */
async function isActive(token) {
  let response;
  try {
    const signer = new AwsV4Signer({
      ...(await credentials()),
      service: 'execute-api',
      region: AWS_REGION,
      method: 'POST',
      url: `${API}/v1/auth/introspect`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token }).toString(),
    });
    const { url, ...signed } = await signer.sign();
    response = await fetch(url, { ...signed, signal: AbortSignal.timeout(TIMEOUT) });
    if (response.ok) return (await response.json()).active === true;
  } catch (cause) {
    throw unavailable(cause);
  }
  throw unavailable(new Error(`the introspection returned ${response.status}`));
}
