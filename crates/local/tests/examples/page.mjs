// Drives the built page of examples/web in a headless Chromium: sign-up with and without a code, SRP sign-in, refusals
// and sign-out. Prints `not run: REASON` if no browser starts.
//
// Environment: DIST, the directory of the built page; SCREENSHOT, the file for a picture of the authenticated user;
// AWS_ENDPOINT_URL, the emulator; CHROMIUM, a browser, which is that of @sparticuz/chromium by default; DENIED_DOMAIN and CODE.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';

const { AWS_ENDPOINT_URL, CHROMIUM, CODE, DENIED_DOMAIN, DIST, SCREENSHOT } = process.env;
const password = 'Correct-Horse-1';
/** Long enough for a slow machine, in milliseconds. */
const timeout = 120_000;

/** Starts a browser with the same-origin policy, which the arguments of @sparticuz/chromium disable. */
const launch = (executablePath, environment) =>
  puppeteer.launch({
    executablePath,
    timeout,
    // The browser ends with this process.
    pipe: true,
    args: ['--no-sandbox', '--no-zygote', '--disable-gpu'],
    env: { ...process.env, ...environment },
  });

async function startBrowser() {
  if (CHROMIUM) return launch(CHROMIUM, {});
  // Unpacks the browser into the temporary directory.
  const { default: chromium, inflate } = await import('@sparticuz/chromium');
  chromium.setGraphicsMode = false;
  const executablePath = await chromium.executablePath();
  // The package's own configuration names the fonts in /tmp.
  const FONTCONFIG_FILE = join(tmpdir(), 'fonts.conf');
  const [fontFolder, cache] = ['fonts', 'fonts-cache'].map((name) => join(tmpdir(), name));
  await writeFile(FONTCONFIG_FILE, `<fontconfig><dir>${fontFolder}</dir><cachedir>${cache}</cachedir></fontconfig>`);
  const fonts = { FONTCONFIG_FILE };
  try {
    return await launch(executablePath, fonts);
  } catch {
    // For machines without the libraries of the browser.
    await inflate(fileURLToPath(new URL('../bin/al2023.tar.br', import.meta.resolve('@sparticuz/chromium'))));
    return launch(executablePath, { ...fonts, LD_LIBRARY_PATH: join(tmpdir(), 'al2023', 'lib') });
  }
}

const TYPES = { '.css': 'text/css', '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json' };

async function serve() {
  const server = createServer(async (request, response) => {
    const path = request.url === '/' ? 'index.html' : normalize(request.url);
    try {
      const file = await readFile(join(DIST, path));
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(file);
    } catch {
      response.writeHead(404).end();
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

let browser;
try {
  browser = await startBrowser();
} catch (error) {
  if (CHROMIUM) throw error;
  const reason = error.message.trim().split('\n')[0];
  console.log(`not run: the browser test of examples/web, because no Chromium starts (${reason}); set CHROMIUM`);
  process.exit();
}

const server = await serve();
const page = await browser.newPage();
page.setDefaultTimeout(timeout);
const complaints = [];
page.on('pageerror', (error) => complaints.push(error.message));
// The browser reports each refusal of Cognito as a failed request.
page.on('console', (message) => {
  const text = message.text();
  if (message.type() === 'error' && !text.startsWith('Failed to load resource')) complaints.push(text);
});

const shown = (selector) => page.waitForSelector(selector, { visible: true });
const textOf = (selector) => page.$eval(selector, (element) => element.textContent);

/** Fills in a form, sends it, and returns the text in the element `status` or `error`. */
async function submit(form, fields, region) {
  for (const [name, value] of Object.entries(fields)) {
    await page.locator(`#${form} input[name=${name}]`).fill(value);
  }
  await page.locator(`#${form} button`).click();
  return outcome(region);
}

async function outcome(region) {
  await shown(`#${region}:not(:empty)`);
  await page.waitForSelector('button:disabled', { hidden: true });
  const other = region === 'status' ? 'error' : 'status';
  assert.equal(await textOf(`#${other}`), '');
  return textOf(`#${region}`);
}

try {
  await page.setViewport({ width: 800, height: 620, deviceScaleFactor: 1 });
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await shown('#sign-up');
  assert.equal(await page.$('#signed-in:not([hidden])'), null);

  // Sign-up, and its refusals.
  const account = { username: 'page', email: 'page@example.com', password };
  const denied = { ...account, email: `page@${DENIED_DOMAIN}` };
  // The emulator embeds the sentence of the policy in other text than AWS.
  assert.match(await submit('sign-up', denied, 'error'), /E-mail addresses of this domain cannot be used to sign up/);
  const weak = { ...account, password: 'weak' };
  assert.equal(await submit('sign-up', weak, 'error'), 'The password does not meet the rules.');
  assert.equal(await submit('sign-up', account, 'status'), 'Your account is confirmed. Sign in.');
  assert.equal(await submit('sign-up', account, 'error'), 'The user name is taken.');

  // Sign-in, and its refusals.
  const wrong = { username: 'page', password: 'Wrong-Horse-1' };
  assert.equal(await submit('sign-in', wrong, 'error'), 'The user name or password is wrong.');
  assert.equal(await submit('sign-in', { username: 'page', password }, 'status'), 'You are signed in.');
  await shown('#signed-in');
  assert.deepEqual([await textOf('#username'), await textOf('#email')], ['page', 'page@example.com']);
  await page.screenshot({ path: SCREENSHOT });

  // The session survives a reload, and ends with the sign-out.
  await page.reload();
  await shown('#signed-in');
  await page.locator('#sign-out').click();
  assert.equal(await outcome('status'), 'You are signed out.');
  await shown('#sign-in');
  await page.reload();
  await shown('#sign-in');
  assert.equal(await page.$('#signed-in:not([hidden])'), null);

  // Users of other domains confirm with a code.
  const other = { username: 'page-code', email: 'page@example.net', password };
  const codeSent = 'Enter the code that was sent to your e-mail address.';
  assert.equal(await submit('sign-up', other, 'status'), codeSent);
  assert.equal(await submit('sign-in', { username: 'page-code', password }, 'status'), codeSent);
  assert.equal(await submit('confirm', { code: '000000' }, 'error'), 'The code is wrong.');
  assert.equal(await submit('confirm', { code: CODE }, 'status'), 'Your account is confirmed. Sign in.');
  assert.equal(await submit('sign-in', { username: 'page-code', password }, 'status'), 'You are signed in.');

  // A session that was ended elsewhere is not shown as signed in.
  const token = await page.evaluate(() => Object.entries(localStorage).find(([key]) => key.endsWith('.accessToken'))[1]);
  await shown('#signed-in');
  const ended = await fetch(AWS_ENDPOINT_URL, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AWSCognitoIdentityProviderService.GlobalSignOut',
    },
    body: JSON.stringify({ AccessToken: token }),
  });
  assert.equal(ended.status, 200);
  await page.reload();
  await shown('#sign-in');
  assert.equal(await page.$('#signed-in:not([hidden])'), null);

  assert.deepEqual(complaints, []);
  console.log('passed');
} finally {
  await browser.close();
  server.close();
}
