import { useEffect, useState } from "preact/hooks";

export type Theme = "auto" | "light" | "dark";
const key = "blockmill-theme";
const order: readonly Theme[] = ["auto", "light", "dark"];

/** The theme that was chosen here, and a function that goes to the next one. */
export function useTheme(): [theme: Theme, next: () => void] {
  const [theme, set] = useState<Theme>(() => {
    const kept = localStorage.getItem(key);
    return order.find((each) => each === kept) ?? "auto";
  });
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem(key, theme);
    dispatchEvent(new Event("theme"));
  }, [theme]);
  return [theme, () => set(order[(order.indexOf(theme) + 1) % order.length] ?? "auto")];
}

/** A number that changes with the colours. */
export function useColours(): number {
  const [changes, set] = useState(0);
  useEffect(() => {
    const changed = (): void => set((before) => before + 1);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", changed);
    addEventListener("theme", changed);
    return () => {
      dark.removeEventListener("change", changed);
      removeEventListener("theme", changed);
    };
  }, []);
  return changes;
}

/** The value of a colour of the style. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
