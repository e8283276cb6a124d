/** What an app tells this lib. */
export abstract class KeysOptions {
  /** The private signing keys: JSON of a JWK, or of a JWK Set, first choice first (secret `HUB_SIGNING_KEY`). */
  abstract signingKey: string;
}
