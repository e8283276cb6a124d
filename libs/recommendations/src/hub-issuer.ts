/** The hub's issuer URL, given by the app. Asked at each use: a hub on a free port learns it late. */
export class HubIssuer {
  constructor(private readonly read: () => string) {}

  get url(): string {
    return this.read();
  }
}
