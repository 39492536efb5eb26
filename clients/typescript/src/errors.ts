// Errors of the API and of API Gateway. They contain no tokens, passwords or request bodies.

import type { Challenge, ErrorCode, Problem } from './generated/types.gen.js';

/** An error response of the API, a problem document. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  /** The whole problem document. */
  readonly problem: Problem;
  /** The header `Retry-After` in seconds. */
  readonly retryAfter: number | undefined;

  constructor(problem: Problem, retryAfter?: number) {
    super(`${problem.status} ${problem.code}: ${problem.detail}`);
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  /** The HTTP status. */
  get status(): number {
    return this.problem.status;
  }

  /** The stable code. Later versions of the API can return codes that this type lacks. */
  get code(): ErrorCode {
    return this.problem.code;
  }

  /** The reason in this case. The wording can change. */
  get detail(): string {
    return this.problem.detail;
  }

  /** The invalid part of the request: a path into the body, or the name of a parameter. */
  get field(): string | undefined {
    return this.problem.field;
  }

  /** The steps of the request that took effect. */
  get completed(): string[] {
    return this.problem.completed ?? [];
  }

  /** The step that failed, or `answer` if all steps took effect and no time was left to read the result. */
  get failed(): string | undefined {
    return this.problem.failed;
  }

  /** The requests to send next, in order. */
  get nextActions(): string[] {
    return this.problem.next_actions ?? [];
  }

  /** The fields in which the existing user differs from the request. */
  get differing(): string[] {
    return this.problem.differing ?? [];
  }

  /** The request id, as in the logs of API Gateway and of the function. */
  get requestId(): string {
    return this.problem.request_id;
  }
}

/** A response of API Gateway itself, such as `{"message": …}`. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  /** The HTTP status. */
  readonly status: number;
  /** The header `Retry-After` in seconds. */
  readonly retryAfter: number | undefined;

  constructor(status: number, message: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** The sign-in requires an answer to a challenge. Answer it with `answerChallenge`. */
export class ChallengeRequired extends Error {
  override readonly name = 'ChallengeRequired';
  readonly #challenge: Challenge;

  constructor(challenge: Challenge) {
    super(`The sign-in requires an answer to the challenge ${challenge.name}`);
    this.#challenge = challenge;
  }

  /** The challenge. It contains the session, so error messages and logs do not show it. */
  get challenge(): Challenge {
    return this.#challenge;
  }
}
