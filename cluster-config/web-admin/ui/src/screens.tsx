/** All screens, in the order of their list, with the permissions of which one is needed to see them. */
import type { FunctionComponent } from 'preact';
import type { IconName } from '../../../../shared/page/icons.tsx';
import { Accounts } from './screens/accounts.tsx';
import { Administrators } from './screens/administrators.tsx';
import { Audit } from './screens/audit.tsx';
import { Configuration } from './screens/configuration.tsx';
import { Domains } from './screens/domains.tsx';
import { Groups } from './screens/groups.tsx';
import { Overview } from './screens/overview.tsx';
import { Queue } from './screens/queue.tsx';
import { Reports } from './screens/reports.tsx';
import { Sessions } from './screens/sessions.tsx';
import { Storages } from './screens/storages.tsx';
import { Trace } from './screens/trace.tsx';
import type { Capability } from './views.ts';

export interface ScreenEntry {
  readonly name: string;
  readonly title: string;
  readonly icon: IconName;
  /** Empty: everybody who signed in. */
  readonly needs: readonly Capability[];
  readonly show: FunctionComponent;
}

export const screens: readonly ScreenEntry[] = [
  { name: 'overview', title: 'Overview', icon: 'overview', needs: [], show: Overview },
  { name: 'sessions', title: 'Sessions', icon: 'sessions', needs: ['manageSessions'], show: Sessions },
  { name: 'accounts', title: 'Accounts', icon: 'people', needs: ['manageUserMap', 'manageAccounts'], show: Accounts },
  { name: 'domains', title: 'Domains', icon: 'domain', needs: ['manageDomains'], show: Domains },
  { name: 'groups', title: 'Groups', icon: 'forward', needs: ['manageAccounts'], show: Groups },
  { name: 'queue', title: 'Queue', icon: 'sent', needs: ['manageQueue'], show: Queue },
  { name: 'storages', title: 'Storages', icon: 'disk', needs: ['manageStorage'], show: Storages },
  { name: 'reports', title: 'Reports', icon: 'chart', needs: ['manageReporting'], show: Reports },
  { name: 'trace', title: 'Trace', icon: 'log', needs: ['manageLog'], show: Trace },
  { name: 'configuration', title: 'Configuration', icon: 'settings', needs: ['manageConfig'], show: Configuration },
  { name: 'administrators', title: 'Administrators', icon: 'key', needs: ['manageConfig'], show: Administrators },
  { name: 'audit', title: 'Audit', icon: 'audit', needs: ['viewAudit'], show: Audit },
];
