import type { ApolloServerPlugin } from '@apollo/server';
import { costLimitRule } from '@escape.tech/graphql-armor-cost-limit';
import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  TypeInfo,
  validate,
  type ValidationContext,
  type ValidationRule,
  type ValueNode,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { DOCUMENT_LIMITS } from '../limits/limits.js';
import { DEFAULT_PAGE } from './paging.js';

/** The rules throw unless told otherwise, which ends as an error of the server; here they report like any other rule. */
const reporting = (what: string) => ({
  propagateOnRejection: false,
  onReject: [(context: ValidationContext | null) => context?.reportError(new GraphQLError(what))],
});

const { depth, aliases, directives, cost } = DOCUMENT_LIMITS;

/** One of these is worth megabytes, whatever its cost in values says. */
const LARGE_FIELDS = new Set(['Query.warningLists', 'WarningList.entries', 'Mutation.submitSignals']);

/** Aliases would have a small document send or be answered the same megabytes again and again. */
const largeFieldsOnce: ValidationRule = (context) => {
  const seen = new Set<string>();
  return {
    Field(node) {
      const field = `${context.getParentType()?.name}.${node.name.value}`;
      if (!LARGE_FIELDS.has(field)) return;
      if (seen.has(field))
        context.reportError(new GraphQLError(`A document asks for ${field} once; send several documents.`));
      seen.add(field);
    },
  };
};

const COST_MESSAGE = `The operation asks for more than ${cost} values, pages taken by their size; ask for less at once.`;

/** What every document is held against before anything of it runs. */
export const DOCUMENT_RULES = [
  largeFieldsOnce,
  // A fragment is no level of the answer.
  maxDepthRule({
    n: depth,
    flattenFragments: true,
    ...reporting(`The operation is deeper than ${depth} levels; ask for it in several.`),
  }),
  maxAliasesRule({
    n: aliases,
    ...reporting(`The operation has more than ${aliases} aliases; send several operations.`),
  }),
  maxDirectivesRule({
    n: directives,
    ...reporting(`The operation has more than ${directives} directives; send a document without them.`),
  }),
] as unknown as ValidationRule[];

const COST_RULE = costLimitRule({
  maxCost: cost,
  objectCost: 1,
  scalarCost: 1,
  depthCostFactor: 1,
  flattenFragments: true,
  ...reporting(COST_MESSAGE),
}) as unknown as ValidationRule;

/**
 * Refuses an operation whose answer could hold too many values. It runs when the variables are known: the rule itself
 * sees only page sizes that are written out, so they are written out for it first.
 */
export const costLimit: ApolloServerPlugin = {
  requestDidStart: () =>
    Promise.resolve({
      didResolveOperation: ({ schema, document, operation, request }) => {
        if (!operation || !tooCostly(schema, document, operation, request.variables ?? {})) return Promise.resolve();
        throw new GraphQLError(COST_MESSAGE, { extensions: { code: 'BAD_INPUT', http: { status: 400 } } });
      },
    }),
};

/** Documents that ask for no page and are cheap: whatever their variables, they stay so. */
const alwaysCheap = new WeakSet<DocumentNode>();

/**
 * Whether the answer to an operation may hold more than {@link DOCUMENT_LIMITS}.cost values.
 * @param document valid by the schema
 */
export function tooCostly(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): boolean {
  if (alwaysCheap.has(document)) return false;
  const { written, pages } = writeOutPages(schema, document, operation, variables);
  const refused = validate(schema, written, [COST_RULE]).length > 0;
  if (!refused && pages === 0) alwaysCheap.add(document);
  return refused;
}

/** The operation with every `first` as a number: from its variable, the variable's default, or the size of a page. */
function writeOutPages(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): { written: DocumentNode; pages: number } {
  let pages = 0;
  const sizeOf = (value: ValueNode | undefined): number => {
    if (value?.kind === Kind.INT) return Number(value.value);
    if (value?.kind !== Kind.VARIABLE) return DEFAULT_PAGE;
    const given = variables[value.name.value];
    if (typeof given === 'number') return given;
    const definition = operation.variableDefinitions?.find((d) => d.variable.name.value === value.name.value);
    return sizeOf(definition?.defaultValue);
  };
  const types = new TypeInfo(schema);
  const definitions = document.definitions.filter((d) => d === operation || d.kind === Kind.FRAGMENT_DEFINITION);
  const written = visit(
    { ...document, definitions },
    visitWithTypeInfo(types, {
      Field(node) {
        if (!types.getFieldDef()?.args.some((arg) => arg.name === 'first')) return undefined;
        pages++;
        const size = sizeOf(node.arguments?.find((arg) => arg.name.value === 'first')?.value);
        return {
          ...node,
          arguments: [
            {
              kind: Kind.ARGUMENT,
              name: { kind: Kind.NAME, value: 'first' },
              value: { kind: Kind.INT, value: String(size) },
            },
          ],
        };
      },
    }),
  );
  return { written, pages };
}
