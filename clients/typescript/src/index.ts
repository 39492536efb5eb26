// A client of Poolkeeper's admin API.

import { type Options, Operations } from './generated/sdk.gen.js';
import type { CreateUserData, User } from './generated/types.gen.js';
import { type TokenSource, tokenSource } from './sign-in.js';
import { type ClientOptions, Transport } from './transport.js';

export * from './errors.js';
export type * from './generated/types.gen.js';
export { SignIn, type TokenSource } from './sign-in.js';
export type { ClientOptions, Operations };

/** A page of a list. */
interface Page {
  next_cursor: string | null;
}

/** The names of the operations that return pages. */
type List = {
  [Name in keyof Operations]: Operations[Name] extends (options: never) => Promise<Page> ? Name : never;
}[keyof Operations];

/** The element type of the array in the page of a list. */
type Item<Name extends List> = Operations[Name] extends (options: never) => Promise<infer P>
  ? Extract<P[keyof P], unknown[]>[number]
  : never;

/** The admin API of one deployment. Each operation is a method that returns the body of a success. */
export class Client extends Operations {
  /**
   * Creates a client for the API's URL, the stack's output `ApiUrl`. `token` is an access token, a function that
   * returns one, or a source such as `SignIn`. Public operations need none.
   */
  constructor(
    url: string,
    token?: string | (() => string | Promise<string>) | TokenSource,
    options: ClientOptions = {},
  ) {
    const withoutToken = new Operations({ client: new Transport(url, options) });
    const source = token === undefined ? undefined : tokenSource(token);
    const accessToken = source && ((rejected?: string) => source.accessToken(withoutToken, rejected));
    super({ client: new Transport(url, options, accessToken) });
  }

  /** Sends a random `Idempotency-Key` if the caller sets none, so that the request can be retried. */
  override createUser<ThrowOnError extends boolean = true>(
    options: Options<CreateUserData, ThrowOnError>,
  ): Promise<User> {
    const key = options.headers?.['Idempotency-Key'] ?? crypto.randomUUID();
    return super.createUser({ ...options, headers: { ...options.headers, 'Idempotency-Key': key } });
  }

  /** Iterates over the items of all pages of a list, such as `listUsers`. */
  async *items<Name extends List>(
    list: Name,
    ...[options]: Parameters<Operations[Name]>
  ): AsyncGenerator<Item<Name>, void> {
    const operation = this[list] as unknown as (options: unknown) => Promise<Page>;
    let cursor: string | null | undefined = options?.query?.cursor;
    do {
      const page: Page = await operation.call(this, { ...options, query: { ...options?.query, cursor } });
      // A page can be empty although more items follow.
      yield* Object.values(page).find(Array.isArray) ?? [];
      cursor = page.next_cursor;
    } while (typeof cursor === 'string');
  }
}
