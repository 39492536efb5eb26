// Builds the page into dist/, for the user pool of the environment variables.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const { AWS_ENDPOINT_URL, USER_POOL_ID, WEB_CLIENT_ID } = process.env;
if (!USER_POOL_ID || !WEB_CLIENT_ID) throw new Error('set the environment variables USER_POOL_ID and WEB_CLIENT_ID');

const source = fileURLToPath(new URL('.', import.meta.url));
const output = join(source, 'dist');
// The Region is the part of the user pool id before the underscore.
const cognito = AWS_ENDPOINT_URL ?? `https://cognito-idp.${USER_POOL_ID.split('_')[0]}.amazonaws.com`;

await build({
  absWorkingDir: source,
  entryPoints: ['main.js', 'style.css'],
  outdir: output,
  bundle: true,
  format: 'esm',
  minify: true,
  sourcemap: true,
  target: 'es2022',
});
// Ids are not secrets. Only the emulator needs the endpoint.
const config = { userPoolId: USER_POOL_ID, userPoolClientId: WEB_CLIENT_ID, userPoolEndpoint: AWS_ENDPOINT_URL };
await writeFile(join(output, 'config.json'), JSON.stringify(config));
// The content security policy lets the page call only the user pool.
const page = await readFile(join(source, 'index.html'), 'utf8');
await writeFile(join(output, 'index.html'), page.replace('COGNITO', new URL(cognito).origin));
