// The settings, from environment variables. README.md describes them.

const required = [
  'ADMIN_PASSWORD',
  'ADMIN_USERNAME',
  'API',
  'AWS_REGION',
  'BACKEND_CLIENT_ID',
  'USER_POOL_ID',
  'WEB_CLIENT_ID',
];
const missing = required.filter((name) => !process.env[name]);
if (missing.length > 0) throw new Error(`missing environment variables: ${missing.join(', ')}`);

export const { ADMIN_PASSWORD, ADMIN_USERNAME, API, AWS_REGION } = process.env;
export const { BACKEND_CLIENT_ID, USER_POOL_ID, WEB_CLIENT_ID } = process.env;
export const { JWKS_URL, PORT = '3000', SESSION_GATE = 'true' } = process.env;
if (!['true', 'false'].includes(SESSION_GATE)) throw new Error('SESSION_GATE must be true or false');
