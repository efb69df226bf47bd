/** Light or dark: as the browser prefers, unless somebody chose here. */
import { effect, signal } from '@preact/signals';

export type Theme = 'automatic' | 'light' | 'dark';

const place = 'waybill-theme';

function kept(): Theme {
  const value = localStorage.getItem(place);
  return value === 'light' || value === 'dark' ? value : 'automatic';
}

export const theme = signal<Theme>(kept());

effect(() => {
  const { dataset } = document.documentElement;
  if (theme.value === 'automatic') {
    delete dataset['theme'];
    localStorage.removeItem(place);
  } else {
    dataset['theme'] = theme.value;
    localStorage.setItem(place, theme.value);
  }
});
