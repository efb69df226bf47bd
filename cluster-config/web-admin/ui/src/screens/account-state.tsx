/** Whether an account is in use, in a word. */
import { Badge } from '../parts/screen.tsx';
import { distance, exactTime } from '../format.ts';
import type { ListedAccount } from '../views.ts';

const names: Readonly<Record<ListedAccount['status'], string>> = { active: 'in use', noaccess: 'disabled', disabled: 'disabled, takes no mail', deleted: 'deleted' };

export function AccountState({ status, withdrawn }: Pick<ListedAccount, 'status' | 'withdrawn'>) {
  if (withdrawn === undefined) return <Badge tone={status === 'active' ? 'good' : 'warn'}>{names[status]}</Badge>;
  return <><Badge tone="bad">{withdrawn.why === 'deleted' ? 'deleted' : 'its entry is gone'}</Badge> <span class="soft small" title={exactTime(withdrawn.removedAt)}>removed {distance(withdrawn.removedAt)}</span></>;
}
