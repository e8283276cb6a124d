import { GraphQLError } from 'graphql';
import { documentIdOf, type ErrorCode, OPERATIONS } from '@app/protocol';

const TEXTS = new Map(Object.values(OPERATIONS).map((text) => [documentIdOf(text), text]));

/** What of a request concerns its document. */
export interface DocumentRequest {
  /** HTTP method. */
  method: string;
  body?: unknown;
  /** Whether it runs a document of the table, by its id or its text. */
  trustedDocument?: boolean;
}

/**
 * Puts the text of a known document in the place of its id. Nothing is ever registered: the table is the one that the
 * hub is built with. The document then runs like any other.
 * @throws {GraphQLError} PERSISTED_QUERY_NOT_FOUND for an id without a text that is not in the table; BAD_INPUT for an
 * id that is no text or belongs to another document
 */
export function useTrustedDocument(request: DocumentRequest): void {
  // Asked by GET, what runs is in the URL, whatever a body says.
  if (request.method !== 'POST') return;
  if (typeof request.body !== 'object' || request.body === null || Array.isArray(request.body)) return;
  const body = request.body as { documentId?: unknown; query?: unknown };
  const { documentId: id, query } = body;
  if (id === undefined || id === null) {
    if (typeof query === 'string') request.trustedDocument = TEXTS.has(documentIdOf(query));
    return;
  }
  if (typeof id !== 'string') throw refusal('BAD_INPUT', 'documentId is "sha256:" and 64 hexadecimal digits.');
  const text = TEXTS.get(id);
  if (query !== undefined && query !== null) {
    if (typeof query !== 'string' || documentIdOf(query) !== id)
      throw refusal('BAD_INPUT', 'documentId is not that of query; send one of them.');
  } else if (text === undefined) {
    throw refusal('PERSISTED_QUERY_NOT_FOUND', 'The hub knows no document of this id; send its text as query.');
  } else {
    body.query = text;
  }
  request.trustedDocument = text !== undefined;
}

function refusal(code: ErrorCode, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code, where: 'documentId', http: { status: 400 } } });
}
