import { ApolloServerValidationErrorCode } from '@apollo/server/errors';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { BongsuError, ERROR_CODES } from '@app/protocol';

/** GraphQL's own refusals of a request echo what was sent; no more of it than this, characters. */
const MESSAGE_CHARACTERS = 500;

/**
 * Gives every error that leaves the hub one of our codes: those of scalars keep their own, whatever else GraphQL refuses
 * before a resolver runs (syntax, validation, variables) is BAD_INPUT.
 */
export function formatError(formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError {
  const code = formatted.extensions?.['code'];
  if (typeof code === 'string' && code in ERROR_CODES) return formatted;
  const known = causeOf(error);
  if (known)
    return {
      ...formatted,
      message: known.message,
      extensions: { code: known.code, ...(known.where === undefined ? {} : { where: known.where }) },
    };
  if (code === 'INTERNAL_SERVER_ERROR')
    return { ...formatted, message: ERROR_CODES.INTERNAL, extensions: { code: 'INTERNAL' } };
  // Apollo's text tells how its operator could turn it on.
  const message =
    formatted.extensions?.['validationErrorCode'] === ApolloServerValidationErrorCode.INTROSPECTION_DISABLED
      ? 'The schema is not told here; Bongsu publishes it as a file.'
      : formatted.message;
  return {
    ...formatted,
    message: message.slice(0, MESSAGE_CHARACTERS),
    extensions: { code: 'BAD_INPUT' },
  };
}

/** The error of ours that GraphQL has wrapped, if it is one. */
function causeOf(error: unknown): BongsuError | null {
  if (error instanceof BongsuError) return error;
  return error instanceof GraphQLError && error.originalError ? causeOf(error.originalError) : null;
}
