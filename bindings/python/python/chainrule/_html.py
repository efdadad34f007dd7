"""What notebooks show of a fitted estimator besides its parameters."""

from html import escape

_WIDTH, _HEIGHT, _MARGIN = 320, 120, 6


class WithLossCurve:
    """Mixin: scikit-learn's representation of an estimator, and beneath it the losses of its training."""

    def _html_repr(self):
        return super()._html_repr() + loss_curves(*self._curves())


def loss_curves(curves, best_epoch=None):
    """An inline SVG of losses by epoch.

    Parameters
    ----------
    curves : dict of str to sequence of float or None
        One line for each name; None and numbers that are not finite are gaps.
    best_epoch : int, optional
        The epoch, from 1, that the model is of; marked if it is given.

    Returns
    -------
    str
        HTML, empty if there is no number to show.
    """
    curves = {name: [_finite(y) for y in values] for name, values in curves.items()}
    seen = [y for values in curves.values() for y in values if y is not None]
    epochs = max((len(values) for values in curves.values()), default=0)
    if not seen:
        return ""
    low, high = min(seen), max(seen)
    place = _Scale(epochs, low, high)
    parts = [_line(place, values, f"stroke-dasharray='{dash}'") for values, dash in zip(curves.values(), _DASHES)]
    if best_epoch:
        x = place.x(best_epoch)
        parts.append(f"<line x1='{x}' x2='{x}' y1='0' y2='{_HEIGHT}' stroke='currentColor' stroke-opacity='0.3'/>")
    legend = ", ".join(f"{escape(name)} ({words})" for name, words in zip(curves, _DASHES.values()))
    best = f"; the model is that of epoch {best_epoch}" if best_epoch else ""
    return (
        "<figure style='margin:0.5em 0;font-size:smaller'>"
        f"<svg width='{_WIDTH}' height='{_HEIGHT}' role='img' aria-label='losses by epoch'>{''.join(parts)}</svg>"
        f"<figcaption>{epochs} epochs, {low:.4g} to {high:.4g}: {legend}{best}</figcaption></figure>"
    )


#: The stroke of each curve, and how the legend calls it.
_DASHES = {"none": "solid", "4 3": "dashed", "1 3": "dotted"}


def _finite(value):
    return value if value is not None and abs(value) < float("inf") else None


class _Scale:
    """Places of epochs and losses in the picture."""

    def __init__(self, epochs, low, high):
        self.epochs, self.low, self.span = epochs, low, (high - low) or 1.0

    def x(self, epoch):
        return round(_MARGIN + (epoch - 1) / max(self.epochs - 1, 1) * (_WIDTH - 2 * _MARGIN), 1)

    def y(self, loss):
        return round(_HEIGHT - _MARGIN - (loss - self.low) / self.span * (_HEIGHT - 2 * _MARGIN), 1)


def _line(place, values, style):
    points = " ".join(f"{place.x(epoch)},{place.y(y)}" for epoch, y in enumerate(values, 1) if y is not None)
    return f"<polyline points='{points}' fill='none' stroke='currentColor' {style}/>"
