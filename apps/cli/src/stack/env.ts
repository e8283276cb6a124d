/** Variables that hold a secret of one of the processes, or with `_FILE` name the file of one. */
const SECRETS = ['DATABASE_URL', 'MIGRATION_DATABASE_URL', 'REDIS_URL', 'HUB_SIGNING_KEY', 'BLINDER_KEY', 'PERSON_KEY'];

/**
 * The environment of a child: ours with some variables set, without the other form of each (`NAME` and `NAME_FILE`: a
 * process refuses to start with both), and without the secrets that it does not need.
 * @param keep secrets that are passed on where we have them
 */
export function envWith(
  env: NodeJS.ProcessEnv,
  more: Record<string, string>,
  keep: readonly string[] = [],
): NodeJS.ProcessEnv {
  const dropped = new Set([
    ...Object.keys(more).map((name) => (name.endsWith('_FILE') ? name.slice(0, -'_FILE'.length) : `${name}_FILE`)),
    ...SECRETS.filter((name) => !keep.includes(name)).flatMap((name) => [name, `${name}_FILE`]),
  ]);
  return { ...Object.fromEntries(Object.entries(env).filter(([name]) => !dropped.has(name))), ...more };
}
