import { canonicalIp } from '@app/member-sdk';
import type { InputConfig } from '../config/agent-config.js';
import { parseGatewayLine } from './gateway-line.js';
import { parseKeyLine } from './key-line.js';
import { LineFile } from './line-file.js';
import { LineRefused } from './rows.js';
import { UsageLineParser } from './usage-line.js';

/** Bytes at a file's start that are tried. */
const SAMPLE_BYTES = 256 * 1024;

/** Tries the first lines of an input without counting them anywhere: what `doctor` says of a log's format. */
export async function sampleInput(
  input: InputConfig,
  now: number,
): Promise<{ lines: number; counted: number; refused: Record<string, number> }> {
  const usage = new UsageLineParser();
  const parse = (text: string) => {
    if (input.kind === 'gateway') parseGatewayLine(text, input.mapping, now);
    else if (input.kind === 'keys') parseKeyLine(text).allowed.forEach((entry) => canonicalIp(entry.ip));
    else canonicalIp(usage.parse(text).ip);
  };
  const file = new LineFile(input.path, null);
  let read = await file.read(SAMPLE_BYTES, true);
  if (read?.begun) read = await file.read(SAMPLE_BYTES, true);
  const lines = read?.texts.slice(0, 1000) ?? [];
  await file.close();
  const refused: Record<string, number> = {};
  for (const text of lines)
    try {
      parse(text);
    } catch (error) {
      const reason = error instanceof LineRefused ? error.reason : 'IP_MALFORMED';
      refused[reason] = (refused[reason] ?? 0) + 1;
    }
  return { lines: lines.length, counted: lines.length - Object.values(refused).reduce((a, b) => a + b, 0), refused };
}
