"""Files of weights: how they are opened, saved, resumed from and published."""

#: of published weights
PUBLISHED_SUFFIX = '.safetensors'
#: a file with one of these holds weights
SUFFIXES = ('.pth', '.pt', '.ckpt', PUBLISHED_SUFFIX)
