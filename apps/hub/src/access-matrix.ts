import { RequestMethod, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GraphQLSchemaBuilderModule, GraphQLSchemaFactory, TypeMetadataStorage } from '@nestjs/graphql';
import type { GraphQLObjectType } from 'graphql';
import { accessOf, PERSON_ROLES, type Access, type Operation, type Role } from '@app/identity';
import { CONTROLLERS, RESOLVERS, SCALARS } from './app.module.js';
import { OPERATION, PUBLIC } from './auth/allow.decorator.js';

/** Somebody at a door: in a role, or not signed in. */
export type Visitor = Role | 'nobody';
export const VISITORS: readonly Visitor[] = ['member', ...PERSON_ROLES, 'nobody'];

/** A root field of the schema, or a route. */
export interface Door {
  /** `Query.members`, `POST /ssf/poll`. */
  name: string;
  /** Undefined where none is declared: nobody gets in, and a test fails. */
  permission: Operation | typeof PUBLIC | undefined;
}

/** Every root field of the schema, and every route beside it, in order. */
export async function doors(): Promise<Door[]> {
  const app = await NestFactory.create(GraphQLSchemaBuilderModule, { logger: false });
  await app.init();
  const schema = await app.get(GraphQLSchemaFactory).create(RESOLVERS, SCALARS);
  await app.close();
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  return [...roots.flatMap((root) => (root ? fieldsOf(root) : [])), ...CONTROLLERS.flatMap(routesOf)];
}

function fieldsOf(root: GraphQLObjectType): Door[] {
  const handlers = [
    ...TypeMetadataStorage.getQueriesMetadata(),
    ...TypeMetadataStorage.getMutationsMetadata(),
    ...TypeMetadataStorage.getSubscriptionsMetadata(),
  ].filter(({ target }) => RESOLVERS.some((resolver) => resolver === target));
  return Object.keys(root.getFields())
    .sort()
    .map((field) => {
      const handler = handlers.find((h) => h.schemaName === field);
      return {
        name: `${root.name}.${field}`,
        permission: handler && declared(handler.target as Type, handler.methodName),
      };
    });
}

/** Nest's metadata of routes: `path` of the class, `path` and `method` of each handler. */
function routesOf(controller: Type): Door[] {
  const base = String(Reflect.getMetadata('path', controller) ?? '');
  const methods = Object.getOwnPropertyNames(controller.prototype as object).filter((name) => name !== 'constructor');
  return methods.flatMap((name) => {
    const handler = (controller.prototype as Record<string, object>)[name]!;
    const method = Reflect.getMetadata('method', handler) as RequestMethod | undefined;
    if (method === undefined) return [];
    const path = [base, String(Reflect.getMetadata('path', handler))].filter((part) => part && part !== '/').join('/');
    return [{ name: `${RequestMethod[method]} /${path}`, permission: declared(controller, name) }];
  });
}

function declared(target: Type, method: string): Door['permission'] {
  return Reflect.getMetadata(OPERATION, (target.prototype as Record<string, object>)[method]!) as Door['permission'];
}

/** What a visitor gets at a door. */
export function accessAt({ permission }: Door, visitor: Visitor): Access {
  if (permission === PUBLIC) return 'all';
  if (permission === undefined || visitor === 'nobody') return 'refused';
  return accessOf(visitor, permission);
}

const WORDS: Record<Access, string> = { all: 'yes', own: 'own', refused: '–' };

/** The matrix as it is committed in docs/access-matrix.md. */
export async function matrixText(): Promise<string> {
  const all = await doors();
  const isRoute = (door: Door) => door.name.includes('/');
  const table = (rows: Door[]) => {
    const cells = rows.map((door) => [
      `\`${door.name}\``,
      door.permission ?? 'none',
      ...VISITORS.map((visitor) => WORDS[accessAt(door, visitor)]),
    ]);
    const head = ['operation', 'permission', ...VISITORS.map((visitor) => visitor.replace('_', ' '))];
    const widths = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)));
    const line = (row: string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
    return [line(head), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
  };
  return `${INTRODUCTION}
## GraphQL

${table(all.filter((door) => !isRoute(door)))}

## Routes beside GraphQL

${table(all.filter(isRoute))}
`;
}

const INTRODUCTION = `# Who may do what

Written from the schema and the permissions by \`npm run access-matrix\`; a test compares, and calls every cell on a running hub.

- **yes**: allowed; where it is about members, about every one of them.
- **own**: allowed on the caller's own rows; another member's are answered as rows that do not exist.
- **–**: refused: FORBIDDEN in a role that may not, UNAUTHENTICATED without a valid token.

A person with several roles may do what any of them may. _nobody_ is a caller who is not signed in. The same is enforced twice: by the
permission at each door, and by row-level security for whatever is behind it.
`;
