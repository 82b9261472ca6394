"""A team's tasks: ordinary Celery, no word of Celeriac."""

from celery import shared_task


@shared_task
def word_count(text: str) -> dict[str, int]:
    """Count the words of a text."""
    counts: dict[str, int] = {}
    for word in text.lower().split():
        counts[word] = counts.get(word, 0) + 1
    return counts
