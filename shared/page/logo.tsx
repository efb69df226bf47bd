/** The name with its mark. */
export function Logo() {
  return (
    <span class="logo">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="8" />
        <path d="M7 10l3.500 12L16 12l5.500 10L25 10" />
      </svg>
      <span>Waybill</span>
    </span>
  );
}
