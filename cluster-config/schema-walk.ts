/** Walks a zod schema beside a value: which keys are known at a place, and which values are file names. */
import { z } from 'zod';
import { fileNames } from './values.ts';

type Schema = z.core.$ZodType;

/** The schema below defaults and optionality. */
function bare(schema: Schema): Schema {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) return bare(schema.unwrap() as Schema);
  return schema;
}

/** The members of a union (itself for any other schema). */
function alternatives(schema: Schema): readonly Schema[] {
  const plain = bare(schema);
  return plain instanceof z.ZodUnion || plain instanceof z.ZodDiscriminatedUnion ? (plain.options as readonly Schema[]).flatMap(alternatives) : [plain];
}

/** The keys that an object at this path may have; empty where no object is expected. */
export function knownKeys(schema: Schema, path: readonly PropertyKey[]): readonly string[] {
  const [step, ...rest] = path;
  const keys = alternatives(schema).flatMap((one): readonly string[] => {
    if (step === undefined) return one instanceof z.ZodObject ? Object.keys(one.shape) : [];
    if (one instanceof z.ZodArray) return knownKeys(one.element as Schema, rest);
    const next: Schema | undefined = one instanceof z.ZodObject ? one.shape[String(step)] : undefined;
    return next === undefined ? [] : knownKeys(next, rest);
  });
  return [...new Set(keys)];
}

/** The paths of all parameters of objects, lists left out, as `services.imap.maxErrors`. */
export function parameterPaths(schema: Schema, prefix = ''): readonly string[] {
  const plain = bare(schema);
  if (!(plain instanceof z.ZodObject)) return prefix === '' ? [] : [prefix];
  return Object.entries(plain.shape).flatMap(([key, member]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    return [path, ...parameterPaths(member as Schema, path).filter((inner) => inner !== path)];
  });
}

/** All values that there may be, in lists and under chosen names, too, each by path, type, bounds and default, as `services.imap.listeners[].address string`; those of alternatives one after the other. */
export function valueTraits(schema: Schema, path = ''): readonly string[] {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return [`${path} = ${JSON.stringify(schema.def.defaultValue)}`, ...valueTraits(schema.unwrap() as Schema, path)];
  if (schema instanceof z.ZodOptional) return [`${path} may be absent`, ...valueTraits(schema.unwrap() as Schema, path)];
  if (schema instanceof z.ZodUnion || schema instanceof z.ZodDiscriminatedUnion) return (schema.options as readonly Schema[]).flatMap((one) => valueTraits(one, path));
  if (schema instanceof z.ZodArray) return [`${path}[] ${boundsOf(schema)}`, ...valueTraits(schema.element as Schema, `${path}[]`)];
  if (schema instanceof z.ZodRecord) return valueTraits(schema.valueType as Schema, `${path}.*`);
  if (!(schema instanceof z.ZodObject)) return [`${path} ${schema._zod.def.type} ${boundsOf(schema)}`];
  return Object.entries(schema.shape).flatMap(([key, member]) => valueTraits(member as Schema, path === '' ? key : `${path}.${key}`));
}

/** All that a value is checked by: least and most, patterns, the words of a choice; of functions their text. */
function boundsOf({ _zod: { def, values } }: Schema): string {
  const checks = (def.checks ?? []).map((check) => check._zod.def);
  return JSON.stringify([checks, values], (_, value: unknown) => (value instanceof Set ? [...value].map(String) : value instanceof RegExp || typeof value === 'function' ? String(value) : value));
}

/** The paths of parameters that bear a mark, as `storage.directories`. */
export function markedPaths(schema: Schema, marks: { has(schema: Schema): boolean }, prefix = ''): readonly string[] {
  if (marks.has(schema)) return [prefix];
  const plain = bare(schema);
  if (!(plain instanceof z.ZodObject)) return [];
  return Object.entries(plain.shape).flatMap(([key, member]) => markedPaths(member as Schema, marks, prefix === '' ? key : `${prefix}.${key}`));
}

/** A copy of the value with every file name replaced by what `replace` makes of it. The value must fit the schema. */
export function replaceFileNames(schema: Schema, value: unknown, replace: (name: string) => string): unknown {
  const [only = bare(schema), ...others] = alternatives(schema);
  // A whole subtree is checked again for it, so only where there is a choice.
  const fitting = others.length === 0 ? only : alternatives(schema).find((one) => z.safeParse(one, value).success) ?? only;
  if (typeof value === 'string') return fileNames.has(fitting) ? replace(value) : value;
  if (Array.isArray(value) && fitting instanceof z.ZodArray) {
    const { element } = fitting;
    return value.map((item: unknown) => replaceFileNames(element, item, replace));
  }
  if (typeof value === 'object' && value !== null && fitting instanceof z.ZodRecord) {
    const { valueType } = fitting;
    return Object.fromEntries(Object.entries(value).map(([key, member]: [string, unknown]) => [key, replaceFileNames(valueType, member, replace)]));
  }
  if (typeof value !== 'object' || value === null || !(fitting instanceof z.ZodObject)) return value;
  const { shape } = fitting;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]: [string, unknown]) => {
      const memberSchema: Schema | undefined = shape[key];
      return [key, memberSchema === undefined ? member : replaceFileNames(memberSchema, member, replace)];
    }),
  );
}
