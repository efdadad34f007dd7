"""What all tests need."""

import os

# Before scipy is imported: scikit-learn leaves some of its checks out without it.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
