export default async function globalTeardown() {
  await globalThis.__bongsuTestServer?.stop();
}
