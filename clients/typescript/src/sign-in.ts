// Sources of access tokens.

import { ChallengeRequired, ProblemError } from './errors.js';
import type { Operations } from './generated/sdk.gen.js';
import type { Tokens } from './generated/types.gen.js';

/** A source of access tokens. */
export interface TokenSource {
  /**
   * Returns an access token. `api` sends requests without a token. `rejected` is a token that the API rejected, so the
   * source returns another token if it can.
   */
  accessToken(api: Operations, rejected?: string): Promise<string>;
}

/** The time before the expiry at which a token is refreshed, in milliseconds. */
const EARLY = 60_000;

/**
 * Signs in with user name and password, and refreshes the access token before it expires. If the API rejects the access
 * or the refresh token, the source signs in again. Concurrent requests share one sign-in or refresh, also if it fails.
 * A source belongs to the first API URL that it is used with.
 */
export class SignIn implements TokenSource {
  readonly #username: string;
  readonly #password: string;
  #url: string | undefined;
  #tokens: Tokens | undefined;
  #refreshAt = 0;
  #pending: Promise<string> | undefined;

  constructor(username: string, password: string) {
    this.#username = username;
    this.#password = password;
  }

  async accessToken(api: Operations, rejected?: string): Promise<string> {
    const { url } = api['client'];
    this.#url ??= url;
    if (url !== this.#url) {
      throw new TypeError('This SignIn belongs to another URL');
    }
    if (rejected !== undefined && rejected === this.#tokens?.access_token) {
      // The session has ended, so tokens of a refresh would be rejected as well.
      this.#tokens = undefined;
    }
    if (this.#tokens && Date.now() < this.#refreshAt) {
      return this.#tokens.access_token;
    }
    this.#pending ??= this.#renew(api, this.#tokens).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #renew(api: Operations, tokens: Tokens | undefined): Promise<string> {
    const requested = Date.now();
    const renewed = (await this.#refresh(api, tokens)) ?? (await this.#signIn(api));
    // If refresh tokens are not rotated, the response lacks the refresh token.
    const refreshToken = renewed.refresh_token ?? tokens?.refresh_token;
    this.#tokens = refreshToken === undefined ? renewed : { ...renewed, refresh_token: refreshToken };
    // Tokens with a short validity are refreshed after half of it.
    const validity = renewed.expires_in_seconds * 1000;
    this.#refreshAt = requested + Math.max(validity - EARLY, validity / 2);
    return renewed.access_token;
  }

  /** Returns nothing if there is no refresh token or the API rejects it. */
  async #refresh(api: Operations, tokens: Tokens | undefined): Promise<Tokens | undefined> {
    if (tokens?.refresh_token === undefined) {
      return undefined;
    }
    const { username, refresh_token } = tokens;
    try {
      return (await api.refresh({ body: { username, refresh_token } })).tokens;
    } catch (error) {
      if (error instanceof ProblemError && error.status < 500 && error.status !== 429) {
        return undefined;
      }
      throw error;
    }
  }

  async #signIn(api: Operations): Promise<Tokens> {
    const outcome = await api.signIn({ body: { username: this.#username, password: this.#password } });
    if ('challenge' in outcome) {
      throw new ChallengeRequired(outcome.challenge);
    }
    return outcome.tokens;
  }
}

/** The token source for an access token, or for a function that returns one. */
export function tokenSource(token: string | (() => string | Promise<string>) | TokenSource): TokenSource {
  if (typeof token === 'object') {
    return token;
  }
  return { accessToken: async () => (typeof token === 'function' ? token() : token) };
}
