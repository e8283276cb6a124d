/** What an app tells this lib. */
export abstract class KeysOptions {
  /** The private signing key: JSON of a JWK (secret `HUB_SIGNING_KEY`). */
  abstract signingKey: string;
}
