"""The command line `verbund`: set up, serve, work, walk, verify, demo. The top of the house: it may call everything
below."""

import warnings

from authlib.deprecate import AuthlibDeprecationWarning

# Spoken to the makers of a package, shown to operators at every start otherwise.
warnings.simplefilter("ignore", AuthlibDeprecationWarning)
