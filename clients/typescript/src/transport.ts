// The HTTP client of the generated operations: tokens, retries and errors.

import { GatewayError, ProblemError } from './errors.js';
import type { Problem } from './generated/types.gen.js';

/** The data of an operation. */
export interface TDataShape {
  url: string;
  body?: unknown;
  headers?: unknown;
  path?: unknown;
  query?: unknown;
}

/** The options of a call. The generator defines the type parameters; the unused ones start with `_`. */
export type Options<TData extends TDataShape, _ThrowOnError, _TResponse> = Omit<TData, 'url'> & {
  /** Further headers. */
  headers?: Record<string, string | undefined>;
  /** Aborts the call, including its retries. */
  signal?: AbortSignal;
};

/** A promise of the body, or of nothing if the response has none. */
export type RequestResult<TResponses, _TErrors, _ThrowOnError> = Promise<TResponses[keyof TResponses]>;

/** Operations have no metadata. */
export type ClientMeta = Record<never, never>;

interface Call extends TDataShape {
  security?: unknown;
  signal?: AbortSignal;
}

type Method = <TResponses, TErrors, ThrowOnError>(call: Call) => RequestResult<TResponses, TErrors, ThrowOnError>;

/** The HTTP methods that the operations call. */
export interface Client {
  /** The URL of the API. */
  readonly url: string;
  get: Method;
  post: Method;
  put: Method;
  patch: Method;
  delete: Method;
}

/** The options of a client. Times are in seconds. */
export interface ClientOptions {
  /** The maximum number of retries of a request. The default is 4. */
  maxRetries?: number;
  /** The maximum delay before a retry. If `Retry-After` is longer, the error is thrown. The default is 30. */
  maxDelay?: number;
  /** The timeout of a request, without its retries. The default is 35, because API Gateway responds within 30. */
  timeout?: number;
  /** Sends a request. The default is the global `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Waits before a retry. */
  delay?: (seconds: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** The delay before the first retry is at most this time in seconds; it doubles with each retry. */
const BASE_DELAY = 0.5;

/** Sends the requests of the operations. */
export class Transport implements Client {
  readonly url: string;
  readonly #accessToken: ((rejected?: string) => Promise<string>) | undefined;
  readonly #options: Required<ClientOptions>;

  readonly get: Method = (call) => this.#send('GET', call);
  readonly post: Method = (call) => this.#send('POST', call);
  readonly put: Method = (call) => this.#send('PUT', call);
  readonly patch: Method = (call) => this.#send('PATCH', call);
  readonly delete: Method = (call) => this.#send('DELETE', call);

  constructor(url: string, options: ClientOptions, accessToken?: (rejected?: string) => Promise<string>) {
    this.url = url.replace(/\/+$/, '');
    this.#accessToken = accessToken;
    this.#options = {
      maxRetries: options.maxRetries ?? 4,
      maxDelay: options.maxDelay ?? 30,
      timeout: options.timeout ?? 35,
      fetch: options.fetch ?? ((url, init) => fetch(url, init)),
      delay: options.delay ?? delay,
    };
  }

  async #send<T>(method: string, call: Call): Promise<T> {
    const url = this.url + pathOf(call) + queryOf(call);
    const headers = headersOf(call);
    const init: RequestInit = { method, headers, redirect: 'error' };
    if (call.body !== undefined) {
      init.body = JSON.stringify(call.body);
    }
    const isRepeatable = method === 'GET' || (method === 'POST' && headers.has('Idempotency-Key'));
    const accessToken = call.security ? this.#accessToken : undefined;
    let token = await accessToken?.();
    let isRenewed = false;
    for (let retries = 0; ; ) {
      if (token !== undefined) {
        headers.set('Authorization', bearer(token));
      }
      const timeout = AbortSignal.timeout(this.#options.timeout * 1000);
      init.signal = call.signal ? AbortSignal.any([call.signal, timeout]) : timeout;
      let answer: Answer | undefined;
      let error: unknown;
      try {
        answer = await Answer.of(await this.#options.fetch(url, init));
        if (answer.isSuccess) {
          return answer.body as T;
        }
        error = answer.error;
      } catch (noResponse) {
        error = noResponse;
      }
      call.signal?.throwIfAborted();
      if (answer?.status === 401 && !isRenewed && !checksPassword(call, answer)) {
        isRenewed = true;
        const renewed = await accessToken?.(token);
        if (renewed !== token) {
          token = renewed;
          continue;
        }
      }
      const { maxRetries, maxDelay } = this.#options;
      const wait = answer?.error?.retryAfter ?? Math.random() * Math.min(BASE_DELAY * 2 ** retries, maxDelay);
      const isRetried = answer?.hadNoEffect || (isRepeatable && (answer?.isAmbiguous ?? true));
      if (!isRetried || retries >= maxRetries || wait > maxDelay) {
        throw error;
      }
      retries += 1;
      await this.#options.delay(wait, call.signal);
    }
  }
}

/** A response whose body is read. */
class Answer {
  readonly status: number;
  readonly isSuccess: boolean;
  /** The parsed body, or nothing if the response has none. */
  readonly body: unknown;
  /** The error of a response that is not a success. */
  readonly error: ProblemError | GatewayError | undefined;

  private constructor(response: Response, text: string) {
    this.status = response.status;
    this.body = text === '' ? undefined : parse(text);
    const isJson = text === '' || this.body !== undefined;
    this.isSuccess = response.ok && isJson;
    if (!this.isSuccess) {
      const seconds = response.headers.get('Retry-After')?.trim() ?? '';
      this.error = errorOf(response.status, this.body, /^\d+$/.test(seconds) ? Number(seconds) : undefined);
    }
  }

  static async of(response: Response): Promise<Answer> {
    return new Answer(response, await response.text());
  }

  /** Whether the request certainly changed nothing. */
  get hadNoEffect(): boolean {
    const isOfApi = this.error instanceof ProblemError;
    const completed = this.error instanceof ProblemError ? this.error.problem.completed : undefined;
    return (this.status === 429 || (this.status === 503 && isOfApi)) && (completed ?? undefined) === undefined;
  }

  /** Whether the request possibly took effect. */
  get isAmbiguous(): boolean {
    const isOfGateway = this.error instanceof GatewayError;
    // API Gateway itself responds if the function fails or exceeds the timeout.
    return this.status === 502 || this.status === 504 || (isOfGateway && (this.status === 500 || this.status === 503));
  }
}

/** Returns nothing for text that is not JSON. The parser's error would quote the text, which can contain tokens. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorOf(status: number, body: unknown, retryAfter: number | undefined): ProblemError | GatewayError {
  const { code, detail, message } = (body ?? {}) as Record<string, unknown>;
  if (typeof code === 'string' && typeof detail === 'string') {
    return new ProblemError({ ...(body as Problem), status }, retryAfter);
  }
  const text = typeof message === 'string' ? message : 'The response has an unexpected form';
  return new GatewayError(status, text, retryAfter);
}

/**
 * Whether a 401 can mean that the current password in the body is wrong. The request is not repeated, because repeated
 * wrong passwords lock the user out.
 */
function checksPassword(call: Call, answer: Answer): boolean {
  const isInvalid = answer.error instanceof ProblemError && answer.error.code === 'invalid-credentials';
  return isInvalid && typeof call.body === 'object' && call.body !== null && 'current_password' in call.body;
}

/** Fills the parameters of the path. */
function pathOf(call: Call): string {
  const values = (call.path ?? {}) as Record<string, string>;
  return call.url.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(values[name] ?? '');
    // URLs normalize these names, so the request would be one for another path.
    if (['', '.', '..'].includes(value)) {
      throw new TypeError(`${name} must not be empty, "." or ".."`);
    }
    return encodeURIComponent(value);
  });
}

/** A list is one parameter for each element. */
function queryOf(call: Call): string {
  const parameters = Object.entries(call.query ?? {})
    .filter(([, value]) => value !== undefined && value !== null)
    .flatMap(([name, value]) => [value].flat().map((element) => `${name}=${encodeURIComponent(String(element))}`));
  return parameters.length === 0 ? '' : `?${parameters.join('&')}`;
}

function headersOf(call: Call): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(call.headers ?? {})) {
    if (value !== undefined) {
      headers.set(name, String(value));
    }
  }
  return headers;
}

/** Checks the token, because the error of `Headers` would quote it. */
function bearer(token: string): string {
  if (!/^[!-~]+$/.test(token)) {
    throw new TypeError('The access token must be visible ASCII characters');
  }
  return `Bearer ${token}`;
}

function delay(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
