import type { HubApi } from './hub-api.js';

/** An erasure as staff see it. */
export interface ErasureRow {
  id: string;
  member: string;
  kind: string;
  target: string | null;
  state: string;
  requestedAt: string;
  doneAt: string | null;
  reason: string;
  openRecommendations: number;
  highestRung: string | null;
  counts: { keys: number; observations: number };
}

const PAGE = `query ($after: String) { erasures(after: $after) {
  edges { node { id member kind target state requestedAt doneAt reason openRecommendations highestRung counts { keys observations } } }
  pageInfo { hasNextPage endCursor } } }`;

/** Every erasure that the caller may see, oldest first. */
export async function* listErasures(api: HubApi): AsyncGenerator<ErasureRow> {
  let after: string | null = null;
  for (;;) {
    const { erasures }: { erasures: Page } = await api.query<{ erasures: Page }>(PAGE, { after });
    for (const { node } of erasures.edges) yield node;
    if (!erasures.pageInfo.hasNextPage) return;
    after = erasures.pageInfo.endCursor;
  }
}

interface Page {
  edges: { node: ErasureRow }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** One line: what a person has to see first is an erasure that met recommendations still to be acted on. */
export function formatErasure(e: ErasureRow): string {
  const open = e.openRecommendations > 0 ? `  OPEN ${e.openRecommendations} up to ${e.highestRung}` : '';
  return (
    `${e.requestedAt}  ${e.member.padEnd(12)} ${`${e.kind} ${e.target ?? ''}`.trim().padEnd(24)} ` +
    `${e.state.padEnd(10)} ${e.counts.keys} keys, ${e.counts.observations} observations${open}  ${e.reason}`
  );
}
