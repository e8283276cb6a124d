/**
 * An environment with some variables set, and without the other form of each (`NAME` and `NAME_FILE`): a process
 * refuses to start with both.
 */
export function envWith(env: NodeJS.ProcessEnv, more: Record<string, string>): NodeJS.ProcessEnv {
  const others = Object.keys(more).map((name) =>
    name.endsWith('_FILE') ? name.slice(0, -'_FILE'.length) : `${name}_FILE`,
  );
  return { ...Object.fromEntries(Object.entries(env).filter(([name]) => !others.includes(name))), ...more };
}
