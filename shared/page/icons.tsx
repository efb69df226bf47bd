/** The icons of the pages: strokes on a grid of 24. */

const paths = {
  inbox: 'M3 13h5l1.5 3h5L16 13h5M3 13v5a2 2 0 0 0 2 2h14a2 2 0 0 0 2-2v-5M3 13l3-8h12l3 8',
  sent: 'M21 3L10 14M21 3l-7 18-4-7-7-4 18-7z',
  drafts: 'M4 20h4L19 9l-4-4L4 16v4zM13 7l4 4',
  archive: 'M3 5h18v4H3zM5 9v10h14V9M10 13h4',
  junk: 'M12 3l9 16H3L12 3zM12 10v4M12 17v.01',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v6M14 11v6',
  none: 'M3 7a2 2 0 0 1 2-2h4l2 2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V7z',
  compose: 'M12 5v14M5 12h14',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5',
  menu: 'M4 6h16M4 12h16M4 18h16',
  back: 'M15 5l-7 7 7 7',
  close: 'M6 6l12 12M18 6L6 18',
  reply: 'M10 8V4L3 11l7 7v-4c5 0 8 1.5 11 6-.5-6-4-12-11-12z',
  replyAll: 'M12 8V4L5.5 11l6.5 7v-4c4.500 0 7 1.500 9.500 6-.5-6-3.500-12-9.500-12zM6 5l-5 6 5 6',
  forward: 'M14 8V4l7 7-7 7v-4c-5 0-8 1.5-11 6 .5-6 4-12 11-12z',
  star: 'M12 3.500l2.600 5.400 5.900.8-4.300 4.100 1 5.900-5.200-2.800-5.200 2.800 1-5.900L3.500 9.700l5.900-.8L12 3.500z',
  unread: 'M3 6h18v12H3zM3 7l9 6 9-6',
  move: 'M3 7a2 2 0 0 1 2-2h4l2 2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V7zM9 13h6M12.500 10.500L15 13l-2.500 2.500',
  attach: 'M20 11l-8.500 8.500a5 5 0 0 1-7-7L13 4a3.400 3.400 0 0 1 4.800 4.800l-8.500 8.500a1.700 1.700 0 0 1-2.400-2.400L14.500 7.300',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  source: 'M9 7l-5 5 5 5M15 7l5 5-5 5',
  signOut: 'M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M10 8l-4 4 4 4M6 12h10',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M13 4.500h4v5h-4zM7 14.500h4v5H7z',
  image: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.500 9.500v.01',
  overview: 'M4 4h7v7H4zM13 4h7v4h-7zM13 11h7v9h-7zM4 14h7v6H4z',
  sessions: 'M4 12h4l2-6 4 12 2-6h4',
  people: 'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20c0-4 3-6 6.500-6s6.500 2 6.500 6M16 4.500a3.500 3.500 0 0 1 0 6.500M18 14.500c2.200.8 3.500 2.700 3.500 5.500',
  domain: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18',
  disk: 'M4 6c0-1.700 3.600-3 8-3s8 1.300 8 3v12c0 1.700-3.600 3-8 3s-8-1.300-8-3V6zM4 6c0 1.700 3.600 3 8 3s8-1.300 8-3M4 12c0 1.700 3.600 3 8 3s8-1.300 8-3',
  log: 'M5 3h11l3 3v15H5zM8 9h8M8 13h8M8 17h5',
  chart: 'M4 4v16h16M7 15l4-5 3 3 5-7',
  audit: 'M12 3l8 3v6c0 5-3.500 8-8 9-4.500-1-8-4-8-9V6l8-3zM8.500 12l2.500 2.500 4.500-5',
  key: 'M8 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 12h9M18 12v4M15 12v3',
  warning: 'M12 3l10 17H2L12 3zM12 10v4M12 17v.01',
  good: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 12l3 3 5-6',
  refresh: 'M20 11a8 8 0 1 0-2 6.500M20 5v6h-6',
} as const;

export type IconName = keyof typeof paths;

/** Decoration only: the button around it has the words. */
export function Icon({ name, filled = 'no' }: { readonly name: IconName; readonly filled?: 'yes' | 'no' }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" fill={filled === 'yes' ? 'currentColor' : 'none'}>
      <path d={paths[name]} />
    </svg>
  );
}
