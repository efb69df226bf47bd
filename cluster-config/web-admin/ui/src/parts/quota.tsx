/** How much of its limit an account holds. The number says it; the bar only helps. */
import { sizeText } from '../../../../../shared/page/dates.ts';

export function QuotaBar({ bytes, bytesLimit }: { readonly bytes: number; readonly bytesLimit: number }) {
  if (bytesLimit === 0) return <span>{sizeText(bytes)}</span>;
  return (
    <div class="disk">
      <meter min={0} max={bytesLimit} high={bytesLimit * 0.9} value={Math.min(bytes, bytesLimit)} aria-label={`${String(Math.round((bytes / bytesLimit) * 100))} % of the quota used`} />
      <span class="small">{sizeText(bytes)} of {sizeText(bytesLimit)}</span>
    </div>
  );
}
