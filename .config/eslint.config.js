// What the linter holds us to: promises that nobody waits for, unsafe types, the house's sizes and habits.
import tseslint from 'typescript-eslint';

const processKeys = [
  { selector: 'MemberExpression[object.name="process"][property.name="exit"]', message: 'process.exit belongs to the mains' },
  { selector: 'MemberExpression[object.name="process"][property.name="env"]', message: 'process.env belongs to the mains; pass what is needed' },
];
const habits = [
  { selector: 'ExportDefaultDeclaration', message: 'no default exports: one name for one thing everywhere' },
  { selector: 'TSEnumDeclaration', message: 'no enums: a union of words' },
  { selector: 'CatchClause > BlockStatement[body.length=0]', message: 'an empty catch hides faults' },
];

/** Sockets are made in few rooms; looking at addresses and at what kind of socket one was given is free. */
const sockets = ['', 'node:'].flatMap((prefix) => [
  { name: `${prefix}net`, allowImportNames: ['isIP', 'isIPv4', 'isIPv6', 'BlockList'], allowTypeImports: true, message: 'sockets are made in shared/net' },
  { name: `${prefix}tls`, allowImportNames: ['TLSSocket'], allowTypeImports: true, message: 'sockets are made in shared/net' },
  { name: `${prefix}dgram`, allowTypeImports: true, message: 'datagrams belong to shared/dnr' },
]);

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.runtime/', '.config/', '**/*.mjs', 'waybill-data/'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.base],
    // No rule here looks into JSDoc.
    languageOptions: { parserOptions: { projectService: true, jsDocParsingMode: 'none', tsconfigRootDir: `${import.meta.dirname}/..` } },
    linterOptions: { reportUnusedDisableDirectives: 'error', noInlineConfig: true },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unsafe-return': 'error',
      '@typescript-eslint/no-unsafe-argument': 'error',
      '@typescript-eslint/no-unsafe-call': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/ban-ts-comment': 'error',
      'max-lines': ['error', 400],
      'max-params': ['error', 3],
      'eqeqeq': 'error',
      'no-console': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-restricted-syntax': ['error', ...habits, ...processKeys],
      '@typescript-eslint/no-restricted-imports': ['error', { paths: sockets }],
    },
  },
  {
    files: ['shared/{net,dnr,tls,smtp,ldap,directory,admin,http}/**/*.ts', 'cluster-config/node-tls.ts', 'test/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': 'off' },
  },
  {
    // The mains, and the tools that are mains of their own.
    files: ['waybill.ts', '*/main.ts', 'cluster-config/run-node.ts', 'cluster-config/command-line/**/*.ts', 'shared/bootstrap/*.ts', 'test/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...habits] },
  },
  {
    // node:test gives promises back that it waits for itself; assertions on known shapes may insist.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: ['test', 'describe', 'it', 'suite', 'before', 'after', 'beforeEach', 'afterEach'] }] }],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['test/bench/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    // The page is bundled: its tools want default exports.
    files: ['{backend/webmail,cluster-config/web-admin}/ui/*.config.ts'],
    rules: { 'no-restricted-syntax': ['error', ...processKeys] },
  },
);
