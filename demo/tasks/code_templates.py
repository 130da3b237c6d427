"""The fixed parts of the script that `write_code` writes; the fields in braces depend on the recipe."""

from demo.models.recipe import Trains

AIMS = {
    Trains.HEAD: "Train a new head on the features of {network}.",
    Trains.LAST_STAGE: "Train a new head and the last stage of {network}.",
    Trains.EVERYTHING: "Train a new head and all of {network}.",
}

READ_FEATURES = '''
@torch.no_grad()
def read({arguments}):
    """Return the features and the class indices of a folder's pictures."""
    look = transforms.Compose([{steps}])
    pictures = datasets.ImageFolder(folder, look)
    inputs, targets = zip(*((network(x[None])[0], y) for x, y in pictures), strict=True)
    return torch.stack(inputs), torch.tensor(targets)
'''

READ_PICTURES = '''
def read({arguments}):
    """Return a folder's pictures, as the network sees them, and their class indices."""
    look = transforms.Compose([{steps}])
    inputs, targets = zip(*datasets.ImageFolder(folder, look), strict=True)
    return torch.stack(inputs), torch.tensor(targets)
'''

SHUFFLE = '''
def shuffle(pictures):
    """Give pictures each other's labels."""
    inputs, targets = pictures
    generator = torch.Generator().manual_seed({seed})
    return inputs, targets[torch.randperm(len(targets), generator=generator)]
'''

CROP = '''
def crop(picture):
    """Cut out a random box of at least half of the area."""
    area, aspect = random.uniform(0.5, 1), (4 / 3) ** random.uniform(-1, 1)
    width = picture.width * min(1, (area * aspect) ** 0.5)
    height = picture.height * min(1, (area / aspect) ** 0.5)
    left = random.uniform(0, picture.width - width)
    top = random.uniform(0, picture.height - height)
    box = (left, top, left + width, top + height)
    return picture.crop([round(side) for side in box])
'''

BALANCED_LOSS = '''
counts = torch.bincount(train[1]).float()  # pictures of each class


def balanced_loss(logits, targets):
    """Let rare classes weigh more; large ones start ahead, which the head makes up."""
    weights, start = counts.rsqrt(), counts.log()
    return nn.functional.cross_entropy(logits + start, targets, weight=weights)
'''

HEAD_FIRST = """
# The head learns first, alone, on the features of the network as it is.
{logits} = nn.Identity()
with torch.no_grad():
    features = torch.cat([network(x) for x in inputs.split(64)])
{logits} = head
{preparing}
for _ in range({epochs}):
    for batch in torch.randperm(len(features)).split({batch_size}):
        optimizer.zero_grad()
        loss = {loss}(head(features[batch]), targets[batch])
        loss.backward()
        optimizer.step()
"""

RIDGE = '''
# Ridge regression in float64, which keeps small eigenvalues; classes weigh the same.
x, y = inputs.double(), nn.functional.one_hot(targets, {num_classes}).double()
weights = 1 / y.sum(0)[targets]
weights /= weights.mean()
roots = weights.sqrt()[:, None]
x_mean, y_mean = weights @ x / len(x), weights @ y / len(y)
centred = roots * (x - x_mean)
values, vectors = torch.linalg.eigh(centred @ centred.T)
values = values.clamp(min=0)
rotated = vectors.T @ (roots * (y - y_mean))


def leave_one_out(penalty):
    """Return the scores of each picture from a head that is fitted without it."""
    shrunk = penalty / (values + penalty)
    own = (vectors**2 @ shrunk - weights / len(x)).clamp(min={eps:.1e})
    return y - vectors @ (shrunk[:, None] * rotated) / roots / own[:, None]


penalties = values.mean() * torch.logspace({first:g}, {last:g}, {count}, dtype=torch.float64)
penalty = min(penalties, key=lambda p: weights @ ((leave_one_out(p) - y) ** 2).sum(1))
weight = (vectors @ (rotated / (values + penalty)[:, None])).T @ centred
bias = y_mean - weight @ x_mean
# The scale from scores to logits with the smallest loss: its slope changes sign there.
scores, softened = leave_one_out(penalty), (y * len(y) + 1) / (len(y) + {num_classes})
low, high = math.log({low:g}), math.log({high:g})
for _ in range(60):
    middle = (low + high) / 2
    probabilities = torch.softmax(math.exp(middle) * scores, dim=1)
    slope = weights @ ((probabilities - softened) * scores).sum(1)
    low, high = (low, middle) if slope > 0 else (middle, high)
scale = math.exp((low + high) / 2)
head.load_state_dict({{"weight": scale * weight, "bias": scale * bias}})
'''
