/**
 * Loaded first into an agent's process (`node --import`): ends it by SIGKILL as it writes its journal. `DIE_AT` is
 * `before TYPE` or `after TYPE`: before the first entry of that type is written, or once it is synced.
 */
import { open } from 'node:fs/promises';

const [when, type] = (process.env.DIE_AT ?? '').split(' ');
const file = await open('/dev/null');
const handle = Object.getPrototypeOf(file);
await file.close();
const { appendFile, datasync } = handle;
let written = false;

const die = () => process.kill(process.pid, 'SIGKILL');

handle.appendFile = function (data, ...rest) {
  if (data.toString().includes(`{"t":"${type}"`)) {
    if (when === 'before') die();
    written = true;
  }
  return appendFile.call(this, data, ...rest);
};
handle.datasync = async function () {
  await datasync.call(this);
  if (written) die();
};
