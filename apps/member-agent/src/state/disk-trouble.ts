/** Failures of the disk under the state folder that a person can do something about, by the system's name. */
const TROUBLES: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: 'the quota of disk space is used up: raise it, or free some space',
  EFBIG: 'a file may not become larger (ulimit -f): raise the limit',
  EROFS: 'the disk may only be read: mount it for writing',
  EIO: 'the disk fails: look at it, and have its files on another one',
  EACCES: 'a file or folder may not be written by this user: give it write permission',
  EPERM: 'a file or folder may not be written by this user: give it write permission',
};

/** What is wrong with the disk, what to do, and what becomes of the work; null for any other error. */
export function diskTrouble(error: unknown): string | null {
  const { code, path } = error as NodeJS.ErrnoException;
  const trouble = code === undefined ? undefined : TROUBLES[code];
  if (trouble === undefined) return null;
  return (
    `${code}${path === undefined ? '' : ` (${path})`}: ${trouble}. Nothing is lost while the logs are kept, and nothing ` +
    'is sent twice: what is not on disk counts as not done.'
  );
}
