import { type CustomScalar, Scalar } from '@nestjs/graphql';
import { GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import { BongsuError, MAX_BATCH_BYTES } from '@app/protocol';

/** Bytes, as base64 or base64url text. */
export class Bytes {
  constructor(readonly bytes: Uint8Array) {}
}

@Scalar('Base64', () => Bytes)
export class Base64Scalar implements CustomScalar<string, Bytes> {
  description = 'Bytes as base64 (RFC 4648, section 4 or 5).';

  parseValue(value: unknown): Bytes {
    if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value))
      throw new BongsuError('BAD_INPUT', 'Not base64.', 'compact');
    if (value.length > (MAX_BATCH_BYTES * 4) / 3 + 4)
      throw new BongsuError(
        'BATCH_TOO_LARGE',
        `A batch has at most ${MAX_BATCH_BYTES} bytes; send several.`,
        'compact',
      );
    return new Bytes(Buffer.from(value, 'base64'));
  }

  serialize(value: unknown): string {
    return Buffer.from((value as Bytes).bytes).toString('base64');
  }

  parseLiteral(ast: ValueNode): Bytes {
    return this.parseValue(ast.kind === Kind.STRING ? ast.value : null);
  }
}

/** Any JSON value, for output. */
export const JsonScalar = new GraphQLScalarType({
  name: 'JSON',
  description: 'Any JSON value.',
  serialize: (value) => value,
});
