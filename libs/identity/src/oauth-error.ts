/** Error codes of RFC 6749, section 5.2, that the token endpoint answers. */
export type OAuthErrorCode = 'invalid_request' | 'invalid_client' | 'unsupported_grant_type' | 'invalid_scope';

/** A refusal of the token endpoint, as RFC 6749 has it. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';

  /** @param description for the person who reads it; never says which check of an assertion failed */
  constructor(
    readonly error: OAuthErrorCode,
    readonly description: string,
  ) {
    super(`${error}: ${description}`);
  }

  /** HTTP status: 401 for a client that is not who it says, 400 for the rest. */
  get status(): 400 | 401 {
    return this.error === 'invalid_client' ? 401 : 400;
  }

  /** The answer's body. */
  get body(): { error: OAuthErrorCode; error_description: string } {
    return { error: this.error, error_description: this.description };
  }
}
