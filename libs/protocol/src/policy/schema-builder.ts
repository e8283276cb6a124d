/** A JSON Schema 2020-12 node. `x-unit` and `x-source` are annotations: validators ignore them. */
export interface JsonSchema {
  $schema?: string;
  $id?: string;
  title?: string;
  description: string;
  'x-unit'?: string;
  'x-source'?: string;
  type?: string;
  enum?: readonly string[];
  const?: string;
  pattern?: string;
  minLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  items?: JsonSchema | false;
  prefixItems?: readonly JsonSchema[];
  oneOf?: readonly JsonSchema[];
  properties?: Readonly<Record<string, JsonSchema>>;
  required?: readonly string[];
  additionalProperties?: false;
}

/** The range a number must lie in. */
export type Range = Pick<JsonSchema, 'minimum' | 'maximum' | 'exclusiveMinimum' | 'exclusiveMaximum'>;

/** An object with exactly the properties of `T`, all required: a field added to the type cannot be forgotten here. */
export function group<T>(description: string, properties: { [K in keyof T]-?: JsonSchema }): JsonSchema {
  return { type: 'object', description, properties, required: Object.keys(properties), additionalProperties: false };
}

/** A number, with its unit and where its starting value comes from. */
export function quantity(description: string, unit: string, source: string, range: Range): JsonSchema {
  return { type: 'number', description, 'x-unit': unit, 'x-source': source, ...range };
}

/** A whole number. */
export function count(description: string, unit: string, source: string, range: Range): JsonSchema {
  return { ...quantity(description, unit, source, range), type: 'integer' };
}

/** One of some words. */
export function choice(description: string, source: string, values: readonly string[]): JsonSchema {
  return { type: 'string', description, 'x-unit': 'word', 'x-source': source, enum: values };
}
