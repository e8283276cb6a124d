import { documentIdOf, OPERATIONS, type OperationName } from '@app/protocol';
import { codeOf, type DoorError } from './errors.js';
import type { Answer, HttpDoor } from './http.js';
import type { HubSession } from './hub-session.js';

const DOCUMENT_IDS = Object.fromEntries(
  Object.entries(OPERATIONS).map(([name, text]) => [name, documentIdOf(text)]),
) as Record<OperationName, string>;

/** How one operation is sent. */
export interface OperationOptions {
  timeoutMs?: number;
  requestId?: string;
}

interface GraphqlBody {
  data?: Record<string, unknown> | null;
  errors?: { message?: string; extensions?: { code?: unknown } }[];
}

/**
 * The members' operations at the hub's GraphQL door, each sent by the name of its document. A hub that does not know
 * one (PERSISTED_QUERY_NOT_FOUND), or no documents at all (it misses the query), is sent the text.
 */
export class HubGraphql {
  /** Operations whose text the hub needed, so that large variables do not travel twice every time. */
  private readonly unknown = new Set<OperationName>();

  constructor(private readonly session: HubSession) {}

  /**
   * @returns the field that the operation asks for; null where the hub answers null
   * @throws {DoorError} with the hub's code
   */
  async run(
    operation: OperationName,
    variables: Record<string, unknown>,
    options: OperationOptions = {},
  ): Promise<unknown> {
    const answer = await this.send(operation, variables, options);
    const body = answer.body as GraphqlBody | null;
    if (answer.status !== 200 || body === null || (body.errors?.length ?? 0) > 0)
      throw failed(this.session.door, answer);
    if (body.data === null || typeof body.data !== 'object' || !(operation in body.data))
      throw badAnswer(this.session.door, answer, `no ${operation}`);
    return body.data[operation] ?? null;
  }

  private async send(
    operation: OperationName,
    variables: Record<string, unknown>,
    options: OperationOptions,
  ): Promise<Answer> {
    const post = (body: object, requestId: string | undefined) =>
      this.session.call({
        method: 'POST',
        path: '/graphql',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...body, variables }),
        ...options,
        ...(requestId === undefined ? {} : { requestId }),
      });
    const query = { query: OPERATIONS[operation] };
    if (this.unknown.has(operation)) return post(query, options.requestId);
    const answer = await post({ documentId: DOCUMENT_IDS[operation] }, options.requestId);
    if (!missesText(answer)) return answer;
    const second = await post(query, answer.requestId);
    // Refused likewise, it was the variables that did not fit, and the document may well be known.
    if (!missesText(second)) this.unknown.add(operation);
    return second;
  }
}

/** Whether nothing was executed for want of the document's text, as far as an answer tells. */
function missesText(answer: Answer): boolean {
  const code = (answer.body as GraphqlBody | null)?.errors?.[0]?.extensions?.code;
  return (
    code === 'PERSISTED_QUERY_NOT_FOUND' || (answer.status === 400 && (code === undefined || code === 'BAD_INPUT'))
  );
}

/** The failure that an answer of the hub tells, GraphQL's or another. */
export function failed(door: HttpDoor, answer: Answer): DoorError {
  const first = (answer.body as GraphqlBody | null)?.errors?.[0];
  const plain = answer.body as { code?: unknown; message?: string; description?: string } | null;
  const message = first?.message ?? plain?.message ?? plain?.description ?? `HTTP ${answer.status}`;
  // A GraphQL error without a stable code comes with status 200 or 400: the call itself does not fit this hub.
  const code = codeOf(first?.extensions?.code ?? plain?.code, answer.status === 200 ? 400 : answer.status);
  return door.failure(answer, code, `The ${door.label} answers ${code}: ${message}`);
}

/** An answer that is none of the hub's. @param what what it is instead */
export function badAnswer(door: HttpDoor, answer: Answer, what: string): DoorError {
  return door.failure(answer, 'BAD_ANSWER', `The ${door.label} answers ${what}; is this the hub's address?`);
}
