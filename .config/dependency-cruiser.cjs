// Who may import whom: shared <- cluster-config <- frontend | backend; rooms by their face; keys in named rooms only.

/** A rule that gives a module to some places only. */
function key(name, module, holders) {
  return {
    name: `key-${name}`, severity: 'error', comment: `${module} is held by ${holders}`,
    from: { path: '^(frontend|backend|shared|cluster-config)/', pathNot: holders },
    to: { path: module, dependencyTypesNot: ['type-only'] },
  };
}

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'shared-is-lowest', severity: 'error', from: { path: '^shared/', pathNot: '^shared/bootstrap/' }, to: { path: '^(cluster-config|frontend|backend|test)/' } },
    { name: 'cluster-config-below-nodes', severity: 'error', from: { path: '^cluster-config/' }, to: { path: '^(frontend|backend|test)/' } },
    { name: 'frontend-not-backend', severity: 'error', from: { path: '^frontend/' }, to: { path: '^(backend|test)/' } },
    { name: 'backend-not-frontend', severity: 'error', from: { path: '^backend/' }, to: { path: '^(frontend|test)/' } },
    {
      name: 'rooms-by-their-face', severity: 'error',
      comment: 'Inside frontend and backend a room is entered by the file that bears its name; storage also by open-storage, login by its parts.',
      from: { path: '^(frontend|backend)/([^/]+)/' },
      to: { path: '^(frontend|backend)/[^/]+/.', pathNot: ['^$1/$2/', '^(frontend|backend)/([^/]+)/\\2\\.ts$', '^backend/storage/open-storage\\.ts$', '^frontend/login/[^/]+\\.ts$'] },
    },
    { name: 'no-dev-packages', severity: 'error', from: { path: '^(frontend|backend|shared|cluster-config)/', pathNot: '^(backend/webmail/ui|cluster-config/web-admin/ui|shared/page)/' }, to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    key('lmdb', '^node_modules/lmdb/', '^backend/storage/'),
    key('ldapjs', '^node_modules/ldapjs/', '^shared/(ldap|directory)/'),
    key('http-proxy', '^node_modules/http-proxy/', '^frontend/webmail-proxy/'),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|\\.runtime)/' },
    detectProcessBuiltinModuleCalls: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'], extensions: ['.ts', '.tsx', '.mjs', '.js'] },
  },
};
