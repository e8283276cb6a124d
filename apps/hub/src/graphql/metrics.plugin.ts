import type { ApolloServerPlugin, GraphQLRequestContext, GraphQLRequestListener } from '@apollo/server';
import { Plugin } from '@nestjs/apollo';
import { Kind, type OperationDefinitionNode } from 'graphql';
import { counter, timer } from '@app/infrastructure/metrics';
import { ERROR_CODES } from '@app/protocol';

const REQUESTS = counter({
  name: 'bongsu_graphql_requests_total',
  help: 'GraphQL requests by the field they ask for and the code of their first error, OK without one.',
  labels: ['operation', 'code'],
});
const SECONDS = timer({
  name: 'bongsu_graphql_request_seconds',
  help: 'Time from a parsed GraphQL request to its answer.',
  labels: ['operation'],
});

/**
 * Counts GraphQL requests. What they are counted under is the field of the schema that they ask for: names of operations
 * and aliases are the caller's to choose.
 */
@Plugin()
export class MetricsPlugin implements ApolloServerPlugin {
  async requestDidStart(): Promise<GraphQLRequestListener<object>> {
    const from = performance.now();
    let operation = 'refused';
    return {
      // Only a document that the schema knows comes this far.
      didResolveOperation: async (request) => {
        if (request.operation) operation = fieldOf(request.operation);
      },
      willSendResponse: async (request) => {
        REQUESTS.add({ operation, code: codeOf(request) });
        SECONDS.observe({ operation }, (performance.now() - from) / 1000);
      },
    };
  }
}

/** The one field at the root, `several` where there are more, `introspection` for what asks after the schema itself. */
function fieldOf({ selectionSet }: OperationDefinitionNode): string {
  const [first, ...rest] = selectionSet.selections;
  if (first?.kind !== Kind.FIELD || rest.length > 0) return 'several';
  return first.name.value.startsWith('__') ? 'introspection' : first.name.value;
}

function codeOf({ response }: GraphQLRequestContext<object>): string {
  const body = response.body;
  const errors = body?.kind === 'single' ? body.singleResult.errors : undefined;
  if (!errors || errors.length === 0) return 'OK';
  const code = errors[0]?.extensions?.['code'];
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) ? code : 'OTHER';
}
